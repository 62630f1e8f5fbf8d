select forecasts.*
from forecasts
inner join seen_key_results using (kr_id)
where is_theirs
