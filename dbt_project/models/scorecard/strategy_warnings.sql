with first_days as (
    select
        *,
        row_number() over (partition by kr_id order by date) as day_no
    from {{ ref('kr_progress') }}
    where value is not null
        and kind <> 'maintain'
),

-- A total that grows may begin with a jump; a level that moves should begin where it is said to.
judged as (
    select
        *,
        case
            when progress >= 1 then 'target'
            when kind = 'reach' and abs(progress) > 0.5 then 'baseline'
        end as field
    from first_days
    where day_no = 1
)

select
    kr_id,
    field,
    date as opened_on,
    'On its first day it stood at ' || {{ plumbline.spoken('value', 'unit') }}
    || case field
        when 'target' then ', so its target of ' || {{ plumbline.spoken('target', 'unit') }}
            || ' was met before it began: set one that is still to be reached.'
        else ', far from its baseline of ' || {{ plumbline.spoken('baseline', 'unit') }} || ': correct the baseline.'
    end as sentence
from judged
where field is not null
