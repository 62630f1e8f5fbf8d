select handoff_evidence.*
from handoff_evidence
inner join seen_handoffs using (handoff_id)
