select kr_daily.* replace (numbers_shown(rule, inputs) as inputs)
from kr_daily
inner join seen_key_results using (kr_id)
where is_theirs
