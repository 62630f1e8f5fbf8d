select kr_forecast_scores.*
from kr_forecast_scores
inner join seen_key_results using (kr_id)
where is_theirs
