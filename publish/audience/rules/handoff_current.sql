select handoff_current.*
from handoff_current
inner join seen_handoffs using (handoff_id)
