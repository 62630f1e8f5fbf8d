-- Checks of the data name records of everybody, and errors of sources whatever stands in them.
select flags.* replace (
    case
        when kind in ('key_result', 'strategy', 'handoff', 'freshness', 'volume') then sentence
        else 'This check of the data fails. What it found is shown to those who see everything.'
    end as sentence
)
from flags
where case
    when kind in ('key_result', 'strategy') then subject in (select kr_id from seen_key_results where is_theirs)
    when kind = 'handoff' then subject in (select handoff_id from seen_handoffs)
    when subject like 'key_results.%' then subject in (
        select 'key_results.' || model from kr_current
        inner join seen_key_results using (kr_id)
        where is_theirs
    )
    else true
end
