-- The same key results as strategy/ and metrics/ of the large workspace, straight from the landing files: what somebody who knows
-- DuckDB would write to have these numbers once. Each file is read once, and only what the answers need is kept.
-- Variable: landing, the folder. The answers are in answers(kr_id, date, value).

set timezone = 'UTC';

create macro landed(stream) as getvariable('landing') || '/' || stream || '/*.ndjson.gz';
create macro day_of(moment) as (moment at time zone 'Europe/Berlin')::date;

create table days as
select day::date as date from range(date '2026-10-05', date '2026-10-31', interval 1 day) as days(day);

create table issues as
select
    id as issue,
    fields.project.key in ('PLAT', 'APP', 'INT') as is_engineering,
    fields.issuetype.name as type,
    fields.status."statusCategory".key = 'done' as is_done,
    fields.created::timestamptz as created_at,
    list_contains(fields.labels, 'promise-2d') as is_express,
    fields.customfield_10016 as estimate,
    fields.customfield_10020 as sprints
from read_ndjson(
    landed('jira/issues'),
    columns = {
        id: 'varchar',
        fields: 'struct(
            project struct(key varchar),
            issuetype struct(name varchar),
            status struct("statusCategory" struct(key varchar)),
            created varchar,
            labels varchar[],
            customfield_10016 decimal(18, 2),
            customfield_10020 struct(state varchar, "startDate" varchar, "completeDate" varchar)[]
        )'
    }
);

create table moves as
select issue, moved_at, move."from" as before, move."to" as after
from (
    select "issueId" as issue, created::timestamptz as moved_at, unnest(list_filter(items, lambda item: item."fieldId" = 'status')) as move
    from read_ndjson(
        landed('jira/changelogs'),
        columns = {"issueId": 'varchar', created: 'varchar', items: 'struct("fieldId" varchar, "from" varchar, "to" varchar)[]'}
    )
);

create table work as
with histories as (
    select
        issue,
        min(moved_at) as first_at,
        min(moved_at) filter (before in ('10011', '10012')) as left_progress_at,
        min(moved_at) filter (after in ('10011', '10012')) as entered_progress_at,
        max(moved_at) filter (after = '10013' and before <> '10013') as done_at
    from moves
    group by issue
)

select
    issues.*,
    case when is_done then done_at end as done_at,
    case when left_progress_at = first_at then created_at else entered_progress_at end as started_at,
    (epoch_us(done_at) - epoch_us(created_at)) / 86400000000 as lead_days,
    (epoch_us(done_at) - epoch_us(started_at)) / 86400000000 as cycle_days
from issues
left join histories using (issue);

create table deals as
select
    properties.amount as amount,
    properties.dealstage in ('closedwon', 'closedlost') as is_closed,
    properties.dealstage = 'closedwon' as is_won,
    properties.createdate as created_at,
    list_max(list_transform(list_filter(history, lambda version: version.value in ('closedwon', 'closedlost')), lambda version: version.timestamp))
        as closed_at,
    list_transform(list_filter(history, lambda version: version.value = 'contractsent'), lambda version: version.timestamp) as contracts_sent
from (
    select properties, "propertiesWithHistory".dealstage as history
    from read_ndjson(
        landed('hubspot/deals'),
        columns = {
            properties: 'struct(amount decimal(18, 2), dealstage varchar, createdate timestamptz)',
            "propertiesWithHistory": 'struct(dealstage struct(value varchar, timestamp timestamptz)[])'
        }
    )
);

create table postings as
select posting.date, posting.posted_at, posting.account, posting.account_type, posting.cost_centre, posting.amount_company as amount
from read_ndjson(
    landed('finance/ledger'),
    columns = {
        posting: 'struct(date date, posted_at date, account varchar, account_type varchar, cost_centre varchar, amount_company decimal(18, 2))'
    }
);

create table budget as
select
    day::date as date,
    sum(posting.amount_company / day_count) as amount
from (
    select posting, datediff('day', posting.month, posting.month + interval 1 month) as day_count
    from read_ndjson(
        landed('finance/budgets'),
        columns = {posting: 'struct(month date, account varchar, amount_company decimal(18, 2))'}
    )
    where posting.account in ('5400', '5410', '5420')
) as plan
cross join unnest(generate_series(posting.month::timestamp, posting.month + to_days((day_count - 1)::integer), interval 1 day)) as spread(day)
group by all;

-- What happened on each day, as additive parts: everything but the percentiles comes from these.
create table daily as
with finished as (
    select day_of(done_at) as date, * from work
    where done_at is not null
),

in_sprints as (
    select
        work.*,
        sprint."startDate"::timestamptz as starts_at,
        sprint."completeDate"::timestamptz as completed_at
    from (select *, unnest(sprints) as sprint from work where is_engineering) as work
    where sprint.state = 'closed'
)

select 'points-delivered' as kr_id, date, sum(estimate) as part, 0 as whole from finished
where is_engineering and type in ('Story', 'Task') group by date
union all
select 'on-time-delivery', date, 100 * count(*) filter (lead_days <= if(is_express, 2, 5)), count(*) from finished
where type = 'Delivery Order' group by date
union all
select 'delivery-days', date, sum(lead_days), count(*) from finished
where type = 'Delivery Order' group by date
union all
select 'sprint-delivery', day_of(completed_at), 100 * sum(estimate) filter (done_at between starts_at and completed_at), sum(estimate) from in_sprints
group by 2
union all
select 'open-bugs', greatest(day_of(created_at), date '2026-10-05'), count(*), 0 from work
where type = 'Bug' group by 2
union all
select 'open-bugs', greatest(date, date '2026-10-05'), -count(*), 0 from finished
where type = 'Bug' group by 2
union all
select 'reopened', day_of(moved_at), count(*), 0 from moves
where before = '10013' and after <> '10013' group by 2
union all
select 'won-amount', day_of(closed_at), sum(amount), 0 from deals
where is_won group by 2
union all
select 'win-rate', day_of(closed_at), 100 * count(*) filter (is_won), count(*) from deals
where is_closed group by 2
union all
select 'open-pipeline', greatest(day_of(created_at), date '2026-10-05'), sum(amount), 0 from deals
group by 2
union all
select 'open-pipeline', greatest(day_of(closed_at), date '2026-10-05'), -sum(amount), 0 from deals
where is_closed group by 2
union all
select 'contracts-sent', day_of(sent_at), count(*), 0 from (select unnest(contracts_sent) as sent_at from deals)
group by 2
union all
select 'revenue', date, -sum(amount), 0 from postings
where account_type = 'revenue' group by date
union all
select 'carrier-cost', date, 100 * sum(amount), 0 from postings
where account in ('5400', '5410', '5420') group by date
union all
select 'carrier-cost', date, 0, amount from budget
union all
select 'claims-paid', date, sum(amount), 0 from postings
where account = '6900' group by date
union all
select 'late-postings', posted_at, count(*), 0 from postings
where cost_centre = '2100' group by posted_at;

create table answers as
with windows as (
    select
        kr_id,
        window_start,
        is_ratio
    from (values
        ('points-delivered', date '2026-10-05', false), ('won-amount', date '2026-10-05', false), ('revenue', date '2026-10-05', false),
        ('open-bugs', date '2026-10-05', false), ('open-pipeline', date '2026-10-05', false),
        ('on-time-delivery', null, true), ('delivery-days', null, true), ('sprint-delivery', null, true), ('win-rate', null, true),
        ('carrier-cost', null, true), ('reopened', null, false), ('contracts-sent', null, false), ('claims-paid', null, false),
        ('late-postings', null, false)
    ) as windows(kr_id, window_start, is_ratio)
),

additive as (
    select
        windows.kr_id,
        days.date,
        if(is_ratio, sum(part) / nullif(sum(whole), 0), sum(part)) as value
    from windows
    cross join days
    left join daily
        on daily.kr_id = windows.kr_id
        and daily.date between coalesce(window_start, days.date - 27) and days.date
    group by windows.kr_id, days.date, is_ratio
),

percentiles as (
    select 'bug-fix-time' as kr_id, days.date, quantile_cont(lead_days, 0.85) as value
    from days
    inner join work on day_of(done_at) between days.date - 27 and days.date and is_engineering and type = 'Bug'
    group by days.date
    union all
    select 'story-time', days.date, quantile_cont(cycle_days, 0.5)
    from days
    inner join work on day_of(done_at) between days.date - 27 and days.date and type = 'Story'
    group by days.date
)

select kr_id, date, coalesce(value, 0)::decimal(28, 6) as value from additive
union all
select kr_id, date, value::decimal(28, 6) from percentiles;
