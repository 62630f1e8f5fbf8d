with evidence as (
    select distinct record from {{ ref('evidence') }}
),

-- What a key result of this cycle may sum up, and the month before, in which what is reversed now was posted.
entries as (
    select
        *,
        {{ plumbline.month_of('date') }} as month,
        {{ plumbline.local_date('posted_at') }} as posted_on,
        coalesce(nullif(counterparty, ''), nullif(document, '')) as other_side,
        coalesce(nullif(document, ''), entry_id) || coalesce(': ' || nullif(description, ''), '') as item
    from {{ ref('ledger_entries') }}
    where date >= {{ plumbline.month_of(dbt.dateadd('month', -1, plumbline.first_day_of_cycle())) }}
        or _record in (select record from evidence)
),

-- 1. Posted into a closed period.
closed_periods as (
    select
        *,
        {{ plumbline.add_days(dbt.dateadd('month', 1, 'month'), var('integrity_period_close_days') - 1) }} as closed_on
    from entries
),

posted_into_closed as (
    select
        'posted_into_closed' as rule,
        true as is_severe,
        _record as record,
        item,
        function_id,
        posted_on as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        item || ' is dated ' || {{ plumbline.as_text('date') }} || ' and was posted on ' || {{ plumbline.as_text('posted_on') }}
        || '; that month was closed on ' || {{ plumbline.as_text('closed_on') }} || '.' as sentence
    from closed_periods
    where posted_on > closed_on
),

-- 2. Reversed at the start of the next period. The first posting of an amount is met by the first that takes it back, and so on.
numbered as (
    select
        *,
        row_number() over (
            partition by account, cost_centre, currency, other_side, amount, month
            order by date, posted_at, document, entry_id
        ) as place_in_month,
        row_number() over (
            partition by account, cost_centre, currency, other_side, amount, month
            order by case when {{ dbt.datediff('month', 'date', 'day') }} < {{ var('integrity_reversal_days') }} then 0 else 1 end,
                date, posted_at, document, entry_id
        ) as place_at_start
    from entries
    where amount <> 0
        and other_side is not null
),

reversals as (
    select
        posted.entry_id as posted_id,
        taken_back.entry_id as taken_back_id,
        posted.date as posted_date,
        taken_back.date as taken_back_date
    from numbered as posted
    inner join numbered as taken_back
        on taken_back.account = posted.account
        and coalesce(taken_back.cost_centre, '') = coalesce(posted.cost_centre, '')
        and taken_back.currency = posted.currency
        and taken_back.other_side = posted.other_side
        and taken_back.amount = -1 * posted.amount
        and taken_back.month = {{ plumbline.add_days(dbt.dateadd('month', 1, 'posted.month'), 0) }}
        and taken_back.place_at_start = posted.place_in_month
    where {{ dbt.datediff('taken_back.month', 'taken_back.date', 'day') }} < {{ var('integrity_reversal_days') }}
),

-- Both sides are suspect: to leave out one of them alone would count the other.
sides_of_reversals as (
    select posted_id as entry_id, posted_date, taken_back_date from reversals
    union
    select taken_back_id as entry_id, posted_date, taken_back_date from reversals
),

latest_reversals as (
    select entry_id, max(posted_date) as posted_date, max(taken_back_date) as taken_back_date
    from sides_of_reversals
    group by entry_id
),

reversed_next_period as (
    select
        'reversed_next_period' as rule,
        true as is_severe,
        entries._record as record,
        entries.item,
        entries.function_id,
        latest_reversals.taken_back_date as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        entries.item || ' is one side of a posting of ' || {{ plumbline.as_text('latest_reversals.posted_date') }}
        || ' that was reversed on ' || {{ plumbline.as_text('latest_reversals.taken_back_date') }} || '.' as sentence
    from entries
    inner join latest_reversals on latest_reversals.entry_id = entries.entry_id
),

-- 3. Duplicates. Lines of one document may be alike, and what comes twice month after month is an arrangement.
alike as (
    select
        *,
        row_number() over (
            partition by date, account, cost_centre, currency, amount, counterparty, description
            order by posted_at, document, entry_id
        ) as copy_no,
        first_value(document) over (
            partition by date, account, cost_centre, currency, amount, counterparty, description
            order by posted_at, document, entry_id
        ) as first_document
    from entries
    where amount <> 0
),

copies as (
    select *
    from alike
    where copy_no > 1
        and (coalesce(document, '') = '' or document <> coalesce(first_document, ''))
),

arrangements as (
    select account, cost_centre, currency, amount, counterparty
    from copies
    where counterparty <> ''
    group by account, cost_centre, currency, amount, counterparty
    having count(distinct month) > 1
),

duplicate as (
    select
        'duplicate' as rule,
        true as is_severe,
        copies._record as record,
        copies.item,
        copies.function_id,
        coalesce(copies.posted_on, copies.date) as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        copies.item || ' repeats ' || coalesce(nullif(copies.first_document, ''), 'another posting') || ': date, account, amount ('
        || {{ plumbline.spoken_number('copies.amount') }} || ' ' || copies.currency || '), counterparty and text are the same.' as sentence
    from copies
    left join arrangements
        on arrangements.account = copies.account
        and coalesce(arrangements.cost_centre, '') = coalesce(copies.cost_centre, '')
        and arrangements.currency = copies.currency
        and arrangements.amount = copies.amount
        and arrangements.counterparty = copies.counterparty
    where arrangements.account is null
),

-- 4. Round manual journals at period end.
month_ends as (
    select {{ plumbline.month_of('date') }} as month, max(case when is_working_day then date end) as last_working_day
    from {{ ref('calendar') }}
    group by 1
    having {{ plumbline.month_of(plumbline.add_days('max(date)', 1)) }} > {{ plumbline.month_of('max(date)') }}
),

round_at_period_end as (
    select
        'round_at_period_end' as rule,
        false as is_severe,
        entries._record as record,
        entries.item,
        entries.function_id,
        entries.date as on_date,
        {{ plumbline.as_text('null') }} as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        entries.item || ' is a round ' || {{ plumbline.spoken_number('entries.amount') }} || ' ' || entries.currency
        || ' without a counterparty at the end of its month, on ' || {{ plumbline.as_text('entries.date') }} || '.' as sentence
    from entries
    inner join month_ends on month_ends.month = entries.month
    where entries.date >= month_ends.last_working_day
        and coalesce(entries.counterparty, '') = ''
        and entries.amount <> 0
        and mod(entries.amount, {{ var('integrity_round_amount') }}) = 0
)

select * from posted_into_closed
union all
select * from reversed_next_period
union all
select * from duplicate
union all
select * from round_at_period_end
