select evidence.*
from evidence
inner join seen_key_results using (kr_id)
where is_theirs
