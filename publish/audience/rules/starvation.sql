-- How long the giver's own work waits is the giver's business.
select starvation.* replace (
    case when is_theirs(giver_function) then own_waiting end as own_waiting,
    case when is_theirs(giver_function) then own_average_days_waited end as own_average_days_waited,
    case when is_theirs(giver_function) then own_finished end as own_finished,
    case when is_theirs(giver_function) then share_of_finished end as share_of_finished
)
from starvation
where is_theirs(giver_function) or is_theirs(receiver_function)
