select kr_current.* replace (
    numbers_shown(rule, inputs) as inputs,
    only_ids(handoffs, getvariable('seen_handoffs')) as handoffs
)
from kr_current
inner join seen_key_results using (kr_id)
where is_theirs
union all by name
-- Of another function's: that it is there, whose it is and how it stands.
select
    kr_current.kr_id, kr_current.name, kr_current.objective_id, kr_current.objective_name, kr_current.function_id,
    kr_current.owner_name, kr_current.owner_email, kr_current.perspective, kr_current.kind, kr_current.unit, kr_current.as_of,
    0 as records, kr_current.status, kr_current.rule, kr_current.since, 0 as suspects,
    'It is a key result of another function, shown because it waits for a hand-off.' as reason,
    only_ids(kr_current.handoffs, getvariable('seen_handoffs')) as handoffs
from kr_current
inner join seen_key_results using (kr_id)
where not is_theirs
