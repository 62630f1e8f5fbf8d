with followed as (
    select
        *,
        lag(value) over (partition by kind, subject, field order by seen_at) as old_value,
        lag(seen_at) over (partition by kind, subject, field order by seen_at) as old_seen_at,
        min(seen_at) over () as first_seen_at
    from {{ ref('strategy_versions') }}
)

-- What is new has no older value: it counts as one change, unless everything is new.
select
    kind,
    subject,
    case when kind = 'key_result' then subject end as kr_id,
    field,
    old_value,
    value as new_value,
    as_of as changed_on,
    seen_at,
    run_id
from followed
where as_of >= cast('{{ var("cycle_start") }}' as date)
    and (old_seen_at is not null or (field = 'declared' and seen_at > first_seen_at))
