-- The records of a large company, in the shapes that the systems' APIs and finance exports have; written to landing by making.py.
-- Variables: issues, deals, postings (how many). Everything follows from the number of a record, so that two makings agree.

set timezone = 'UTC';
set variable start = timestamp '2025-10-06 00:00:00';
-- The end of 30 October 2026 in Berlin: nothing later has happened.
set variable now = timestamp '2026-10-30 23:00:00';
set variable seconds = epoch(getvariable('now')) - epoch(getvariable('start'));

create macro dice(number, salt, sides) as (hash(number, salt) % sides)::bigint;
create macro jira_time(moment) as strftime(moment, '%Y-%m-%dT%H:%M:%S.%g+0000');
create macro hubspot_time(moment) as strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ');
create macro site(path) as 'https://large.atlassian.net/rest/api/3/' || path;
create macro moment_of(number, salt) as getvariable('start') + to_seconds(dice(number, salt, getvariable('seconds')::bigint));

create macro account_id(number) as printf('712020:%08x-5c82-4ade-9d93-c34281cfc851', number);
create macro person(number) as {
    'self': site('user?accountId=' || account_id(number)),
    'accountId': account_id(number),
    'emailAddress': 'person' || number || '@large.example',
    'displayName': 'Person ' || number,
    'active': true,
    'timeZone': 'Europe/Berlin',
    'accountType': 'atlassian'
};

create table projects as
from (values
    (0, 'PLAT', 'Platform'), (1, 'APP', 'Apps'), (2, 'INT', 'Integrations'), (3, 'PROD', 'Product'), (4, 'OPS', 'Operations'), (5, 'SAL', 'Sales Desk')
) as project(number, key, name);

create table statuses as
from (values
    (1, '10010', 'To Do', 2, 'new', 'To Do'),
    (2, '10011', 'In Progress', 4, 'indeterminate', 'In Progress'),
    (3, '10012', 'In Review', 4, 'indeterminate', 'In Progress'),
    (4, '10013', 'Done', 3, 'done', 'Done')
) as status(number, id, name, category_id, category, category_name);

create macro category_of(status) as {
    'self': site('statuscategory/' || status.category_id),
    'id': status.category_id,
    'key': status.category,
    'colorName': 'green',
    'name': status.category_name
};

-- Up to eleven moments change an issue: sprint, assignee, estimate, start, description, labels, review, assignee, done,
-- and for one in four reopened and done again. `happened` of them lie before now.
create table issues as
with drawn as (
    select
        number,
        10000 + number as id,
        case when dice(number, 1, 100) < 30 then 0 when dice(number, 1, 100) < 55 then 1 when dice(number, 1, 100) < 65 then 2
            when dice(number, 1, 100) < 72 then 3 when dice(number, 1, 100) < 95 then 4 else 5 end as project,
        moment_of(number, 2) as created,
        3600 + dice(number, 3, 4 * 86400) as gap,
        case when dice(number, 4, 4) = 0 then 11 else 9 end as changes,
        dice(number, 5, 8) + 1 as points,
        dice(number, 6, 100) as kind
    from range(getvariable('issues')) as numbers(number)
),

timed as (
    select
        *,
        case
            when number % 100 = 0 then 'Epic'
            when project = 4 then 'Delivery Order'
            when project = 5 then 'Task'
            when project = 3 or kind < 55 then 'Story'
            when kind < 75 then 'Task'
            else 'Bug'
        end as type,
        list_transform(
            range(1, changes + 1),
            lambda step: created + to_seconds((step * gap + dice(number, 100 + step, gap)) // case when project = 4 then 10 else 1 end)
        ) as moments
    from drawn
),

cut as (
    select *, len(list_filter(moments, lambda moment: moment < getvariable('now'))) as happened
    from timed
)

select
    *,
    case when happened < 4 then 1 when happened < 7 or happened = 10 then 2 when happened < 9 then 3 else 4 end as status,
    case when happened in (9, 11) then moments[happened] end as resolved,
    coalesce(moments[happened], created) as updated,
    case when project <= 2 and happened >= 1 then datediff('day', getvariable('start'), created) // 14 + 1 end as sprint
from cut;

create view landed_issues as
select
    '' as expand,
    issues.id::varchar as id,
    site('issue/' || issues.id) as self,
    projects.key || '-' || issues.number as key,
    {
        'summary': issues.type || ' ' || issues.number || ' on the list of ' || projects.name,
        'issuetype': {
            'self': site('issuetype/' || 10020 + dice(issues.type, 7, 50)),
            'id': (10020 + dice(issues.type, 7, 50))::varchar,
            'name': issues.type,
            'subtask': false,
            'hierarchyLevel': case when issues.type = 'Epic' then 1 else 0 end
        },
        'project': {
            'self': site('project/' || 10100 + issues.project),
            'id': (10100 + issues.project)::varchar,
            'key': projects.key,
            'name': projects.name,
            'projectTypeKey': 'software',
            'simplified': false
        },
        'status': {
            'self': site('status/' || statuses.id),
            'description': '',
            'name': statuses.name,
            'untranslatedName': statuses.name,
            'id': statuses.id,
            'statusCategory': category_of(statuses)
        },
        'created': jira_time(issues.created),
        'updated': jira_time(issues.updated),
        'resolutiondate': jira_time(issues.resolved),
        'parent': case when issues.type <> 'Epic' then {
            'id': (issues.id - issues.number % 100)::varchar,
            'self': site('issue/' || issues.id - issues.number % 100)
        } end,
        'labels': case when issues.project = 4 then [case when issues.kind < 40 then 'promise-2d' else 'promise-5d' end] else [] end,
        'fixVersions': []::varchar[],
        'issuelinks': case when issues.number % 10 = 1 then [{
            'id': (700000 + issues.number)::varchar,
            'self': site('issueLink/' || 700000 + issues.number),
            'type': {'id': '10000', 'name': 'Blocks', 'inward': 'is blocked by', 'outward': 'blocks', 'self': site('issueLinkType/10000')},
            'outwardIssue': {'id': (issues.id - 1)::varchar, 'self': site('issue/' || issues.id - 1)}
        }] else [] end,
        'assignee': case when issues.happened >= 2 then person(dice(issues.number, 8, 400)) end,
        'reporter': person(dice(issues.number, 9, 400)),
        'priority': {'self': site('priority/' || issues.kind % 4), 'id': (issues.kind % 4)::varchar, 'name': ['Low', 'Medium', 'High', 'Highest'][issues.kind % 4 + 1]},
        'customfield_10016': case when issues.happened >= 3 and issues.type in ('Story', 'Task', 'Bug') then issues.points end,
        'customfield_10020': case when issues.sprint is not null then [{
            'id': 100 * issues.sprint + issues.project,
            'name': projects.key || ' Sprint ' || issues.sprint,
            'state': case when getvariable('start') + to_days((14 * (issues.sprint + 1))::integer) <= getvariable('now') then 'closed'
                when getvariable('start') + to_days((14 * issues.sprint)::integer) <= getvariable('now') then 'active' else 'future' end,
            'boardId': issues.project,
            'goal': '',
            'startDate': hubspot_time(getvariable('start') + to_days((14 * issues.sprint)::integer)),
            'endDate': hubspot_time(getvariable('start') + to_days((14 * (issues.sprint + 1))::integer)),
            'completeDate': case when getvariable('start') + to_days((14 * (issues.sprint + 1))::integer) <= getvariable('now')
                then hubspot_time(getvariable('start') + to_days((14 * (issues.sprint + 1))::integer)) end
        }] end
    } as fields
from issues
inner join projects on projects.number = issues.project
inner join statuses on statuses.number = issues.status;

create macro change(field, field_id, before, before_text, after, after_text) as {
    'field': field,
    'fieldtype': case when field_id like 'customfield%' then 'custom' else 'jira' end,
    'fieldId': field_id,
    'from': before::varchar,
    'fromString': before_text::varchar,
    'to': after::varchar,
    'toString': after_text::varchar
};
create macro move(before, after) as change('status', 'status', ['10010', '10011', '10012', '10013'][before],
    ['To Do', 'In Progress', 'In Review', 'Done'][before], ['10010', '10011', '10012', '10013'][after],
    ['To Do', 'In Progress', 'In Review', 'Done'][after]);
create macro resolution(before, after) as change('resolution', 'resolution', before, case when before is not null then 'Done' end,
    after, case when after is not null then 'Done' end);

create view landed_changelogs as
select
    issues.id::varchar as "issueId",
    (1000000 + issues.number * 12 + steps.step)::varchar as id,
    person(dice(issues.number, 20 + steps.step, 400)) as author,
    jira_time(issues.moments[steps.step]) as created,
    case steps.step
        when 1 then [change('Sprint', 'customfield_10020', '', '', issues.sprint, 'Sprint ' || issues.sprint)]
        when 2 then [change('assignee', 'assignee', null, null, account_id(dice(issues.number, 10, 400)), 'Person ' || dice(issues.number, 10, 400))]
        when 3 then [change('Story point estimate', 'customfield_10016', null, null, null, issues.points)]
        when 4 then [move(1, 2)]
        when 5 then [change('description', 'description', null, 'To be written down', null, 'Written down as agreed on the call')]
        when 6 then [change('labels', 'labels', null, '', null, 'looked-at')]
        when 7 then [move(2, 3)]
        when 8 then [change('assignee', 'assignee', account_id(dice(issues.number, 10, 400)), 'Person ' || dice(issues.number, 10, 400),
            account_id(dice(issues.number, 8, 400)), 'Person ' || dice(issues.number, 8, 400))]
        when 9 then [move(3, 4), resolution(null, '10000')]
        when 10 then [move(4, 2), resolution('10000', null)]
        else [move(2, 4), resolution(null, '10000')]
    end as items,
    epoch_ms(issues.moments[steps.step]) as "createdEpoch"
from issues
cross join unnest(range(1, issues.happened + 1)) as steps(step);

create view landed_statuses as
select
    site('status/' || statuses.id) as self,
    '' as description,
    statuses.name,
    statuses.name as "untranslatedName",
    statuses.id,
    category_of(statuses) as "statusCategory"
from statuses;

create view landed_projects as
select
    site('project/' || 10100 + number) as self,
    (10100 + number)::varchar as id,
    key,
    name,
    'software' as "projectTypeKey"
from projects;

create view landed_fields as
select id, id as key, name, true as custom
from (values ('customfield_10016', 'Story point estimate'), ('customfield_10020', 'Sprint')) as field(id, name);

create table stages as
from (values
    (1, 'Appointment Scheduled', 'false', '0.2'),
    (2, 'Qualified To Buy', 'false', '0.4'),
    (3, 'Proposal', 'false', '0.6'),
    (4, 'Contract Sent', 'false', '0.9'),
    (5, 'Closed Won', 'true', '1.0'),
    (6, 'Closed Lost', 'true', '0.0')
) as stage(number, label, closed, probability);

create macro stage_id(number) as
    ['appointmentscheduled', 'qualifiedtobuy', 'presentationscheduled', 'contractsent', 'closedwon', 'closedlost'][number];

-- A deal goes through four stages and is then won or lost; `visited` of the five moments lie before now.
create table deals as
with drawn as (
    select
        number,
        (18200000000 + number)::varchar as id,
        moment_of(number, 30) as created,
        7200 + dice(number, 31, 12 * 86400) as gap,
        case when dice(number, 32, 100) < 38 then 5 else 6 end as outcome,
        (1000 + dice(number, 33, 200000)) || '.' || ['00', '50', '99'][dice(number, 34, 3) + 1] as amount,
        ['Warehouse Space', 'FleetLink', 'Road Freight', 'Customs'][dice(number, 35, 4) + 1] as product,
        (410000000 + dice(number, 36, 60)) as owner
    from range(getvariable('deals')) as numbers(number)
),

timed as (
    select
        *,
        list_transform(
            range(0, 5),
            lambda step: case when step = 0 then created else created + to_seconds(step * gap + dice(number, 200 + step, gap)) end
        ) as moments
    from drawn
),

cut as (
    select *, len(list_filter(moments, lambda moment: moment < getvariable('now'))) as visited
    from timed
)

select
    *,
    case when visited = 5 then outcome else visited end as stage,
    moments[visited] as updated,
    case when visited = 5 then moments[5] else created + to_days(60) end as close
from cut;

create macro version_of(value, moment, owner) as {
    'value': value,
    'timestamp': hubspot_time(moment),
    'sourceType': 'CRM_UI',
    'sourceId': 'userId:' || owner,
    'updatedByUserId': owner
};

create view landed_deals as
select
    id,
    {
        'dealname': product || ' for customer ' || number % 5000,
        'dealtype': null::varchar,
        'deal_currency_code': 'EUR',
        'amount_in_home_currency': amount,
        'hs_is_closed': null::varchar,
        'hs_is_closed_won': null::varchar,
        'createdate': hubspot_time(created),
        'hs_lastmodifieddate': hubspot_time(updated),
        'hs_object_id': id,
        'dealstage': stage_id(stage),
        'pipeline': 'default',
        'amount': amount,
        'closedate': hubspot_time(close),
        'hubspot_owner_id': owner::varchar,
        'product_line': product,
        'waits_for_issue': null::varchar
    } as properties,
    hubspot_time(created) as "createdAt",
    hubspot_time(updated) as "updatedAt",
    false as archived,
    {
        'dealstage': list_transform(
            range(visited, 0, -1),
            lambda step: version_of(
                stage_id(case when step = 5 then outcome else step end), moments[step], owner
            )
        ),
        'pipeline': [version_of('default', created, owner)],
        'amount': [version_of(amount, created, owner)],
        'closedate': list_concat(
            case when visited = 5 then [version_of(hubspot_time(close), moments[5], owner)] end,
            [version_of(hubspot_time(created + to_days(60)), created, owner)]
        ),
        'hubspot_owner_id': [version_of(owner::varchar, created, owner)],
        'product_line': [version_of(product, created, owner)]
    } as "propertiesWithHistory"
from deals;

create view landed_pipelines as
select
    'default' as id,
    'New Business' as label,
    0 as "displayOrder",
    false as archived,
    list({'id': stage_id(number), 'label': label, 'displayOrder': number, 'metadata': {'isClosed': closed, 'probability': probability}} order by number) as stages
from stages;

create view landed_owners as
select (410000000 + number)::varchar as id, 'owner' || number || '@large.example' as email, 'Owner' as "firstName", number::varchar as "lastName"
from range(60) as numbers(number);

create table accounts as
from (values
    (0, '4000', 'Freight revenue', 'revenue'), (1, '4100', 'Contract logistics revenue', 'revenue'), (2, '4200', 'Software revenue', 'revenue'),
    (3, '5400', 'Carriers', 'expense'), (4, '5410', 'Fuel', 'expense'), (5, '5420', 'Tolls', 'expense'),
    (6, '6000', 'Salaries', 'expense'), (7, '6010', 'Social security', 'expense'), (8, '6300', 'Travel', 'expense'),
    (9, '6500', 'Cloud', 'expense'), (10, '6900', 'Claims paid', 'expense'), (11, '6990', 'Other', 'expense')
) as account(number, account, name, type);

create table postings as
select
    number,
    ['2100', '2200', '2300', '2400', '2410', '2500'][dice(number, 40, 6) + 1] as cost_centre,
    dice(number, 41, 12) as account,
    1 + dice(number, 42, 500000) as cents,
    getvariable('start')::date + dice(number, 43, 390)::integer as day,
    least(getvariable('start')::date + dice(number, 43, 390)::integer + dice(number, 44, 4)::integer, date '2026-10-30') as posted
from range(getvariable('postings')) as numbers(number);

create view landed_ledger as
select
    document || '/' || line as key,
    'gl_' || strftime(day, '%Y-%m') || '.csv' as file,
    number + 2 as row,
    {
        'Posting Date': strftime(day, '%d.%m.%Y'),
        'Entered': strftime(posted, '%d.%m.%Y'),
        'Document No': document,
        'Line': line,
        'Account': account,
        'Account Name': name,
        'Account Type': type,
        'Cost Centre': cost_centre,
        'Description': 'Invoice ' || strftime(day, '%m/%Y'),
        'Counterparty': counterparty,
        'Amount': replace(amount, '.', ','),
        'Currency': 'EUR',
        'Amount EUR': replace(amount, '.', ',')
    } as cells,
    {
        'date': strftime(day, '%Y-%m-%d'),
        'posted_at': strftime(posted, '%Y-%m-%d'),
        'document': document,
        'line': line,
        'account': account,
        'account_name': name,
        'account_type': type,
        'cost_centre': cost_centre,
        'description': 'Invoice ' || strftime(day, '%m/%Y'),
        'counterparty': counterparty,
        'amount': amount,
        'currency': 'EUR',
        'amount_company': amount
    } as posting
from (
    select
        postings.number,
        postings.day,
        postings.posted,
        postings.cost_centre,
        accounts.account,
        accounts.name,
        accounts.type,
        printf('JE-%08d', postings.number // 4) as document,
        (postings.number % 4 + 1)::varchar as line,
        'Customer ' || dice(postings.number, 45, 3000) as counterparty,
        case when accounts.type = 'revenue' then '-' else '' end || printf('%d.%02d', cents // 100, cents % 100) as amount
    from postings
    inner join accounts on accounts.number = postings.account
) as named;

create view landed_budgets as
select
    month || '/' || account || '/' || cost_centre as key,
    'budget_2026.xlsx#Budget' as file,
    row_number() over (order by month, account, cost_centre) + 1 as row,
    {'Month': month, 'Account': account, 'Account Type': type, 'Cost Centre': cost_centre, 'Amount': amount} as cells,
    {
        'currency': 'EUR',
        'month': month,
        'account': account,
        'account_type': type,
        'cost_centre': cost_centre,
        'amount': amount,
        'amount_company': amount
    } as posting
from (
    select
        strftime(date '2025-10-01' + to_months(months.number::integer), '%Y-%m-%d') as month,
        accounts.account,
        accounts.type,
        centres.cost_centre,
        -- What the postings of an account come to on the average of a month, within ten per cent.
        (getvariable('postings')::bigint * 2500 // 12 // 6 // 13 * (90 + dice(months.number, accounts.account, 21)) // 100)::varchar as amount
    from range(15) as months(number)
    cross join accounts
    cross join (values ('2100'), ('2200'), ('2300'), ('2400'), ('2410'), ('2500')) as centres(cost_centre)
    where accounts.type = 'expense'
) as planned;
