select handoff_daily.*
from handoff_daily
inner join seen_handoffs using (handoff_id)
