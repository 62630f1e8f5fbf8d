-- A cycle is known by its days: another name or a moved end does not make its aims new.
select *
from {{ source('control', 'strategy_versions') }}
where cycle_end >= cast('{{ var("cycle_start") }}' as date)
    and cycle_start <= cast('{{ var("cycle_end") }}' as date)
