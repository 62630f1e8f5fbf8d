select ledger.* replace (cast(null as varchar) as previous, cast(null as varchar) as hash)
from ledger
inner join seen_key_results using (kr_id)
where is_theirs
