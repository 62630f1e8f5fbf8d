select exceptions.* replace (
    case when handoff_id in (select handoff_id from seen_handoffs) then handoff_id end as handoff_id,
    case when is_theirs then reason else 'A key result of another function waits for this hand-off.' end as reason
)
from exceptions
inner join seen_key_results using (kr_id)
where is_theirs
    or handoff_id in (
        select handoff_id from handoff_current
        where is_theirs(giver_function) or is_theirs(receiver_function)
    )
