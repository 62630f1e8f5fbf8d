with lines as (
    select * from {{ ref('budget_lines') }}
),

days as (
    select date, {{ plumbline.month_of('date') }} as month from {{ ref('calendar') }}
),

spread as (
    select
        lines.*,
        days.date,
        {{ dbt.datediff('lines.month', 'days.date', 'day') }} + 1 as day_of_month,
        {{ dbt.datediff('lines.month', dbt.dateadd('month', 1, 'lines.month'), 'day') }} as days_in_month
    from lines
    inner join days on days.month = lines.month
)

-- The day's part is the difference of two running shares, so that the days of a month add up to its amount exactly.
select
    line_id,
    month,
    date,
    account,
    account_type,
    cost_centre,
    function_id,
    cast({{ plumbline.share_of_month('amount', 'day_of_month') }} - {{ plumbline.share_of_month('amount', '(day_of_month - 1)') }} as decimal(28, 10)) as amount,
    currency,
    cast({{ plumbline.share_of_month('amount_company', 'day_of_month') }} - {{ plumbline.share_of_month('amount_company', '(day_of_month - 1)') }} as decimal(28, 10)) as amount_company,
    _record
from spread
