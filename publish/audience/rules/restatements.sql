select restatements.*
from restatements
inner join seen_key_results using (kr_id)
where is_theirs
