with days as (
    select * from {{ ref('resource_daily') }}
),

limits as (
    select
        {{ plumbline.threshold('resources', 'amber') }} / 100 as lead_share,
        cast({{ plumbline.threshold('resources_idle', 'amber') }} as integer) as idle_weeks
),

judged as (
    select
        days.*,
        limits.lead_share,
        limits.idle_weeks,
        coalesce(days.spent_share - days.progress >= limits.lead_share, false) as is_ahead,
        coalesce(days.people_seen = 0 and coalesce(days.progress, 0) < 1, false) as is_idle
    from days
    cross join limits
)

select
    kr_id,
    date,
    'resources' as rule,
    'amber' as status,
    case when is_ahead then 'It has spent ' || {{ plumbline.spoken_share('spent_share') }} || ' of its budget of '
        || {{ plumbline.spoken("budget", "'" ~ var('company_currency') ~ "'") }} || ' and is ' || {{ plumbline.spoken_share('progress') }} || ' of the way.'
    else '' end
    || case when is_ahead and is_idle then ' ' else '' end
    || case when is_idle then 'Nobody has worked on it for ' || {{ plumbline.as_text('idle_weeks') }} || ' weeks, where '
        || {{ plumbline.spoken_number('people') }} || ' people are meant to.'
    else '' end as reason,
    {{ plumbline.json_object({
        'budget': 'budget',
        'spent': 'spent',
        'spent_share': 'spent_share',
        'progress': 'progress',
        'people': 'people',
        'people_seen': 'people_seen',
    }) }} as inputs
from judged
where is_ahead or is_idle
