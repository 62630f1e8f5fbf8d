-- Shares of money tell of money.
select resource_alignment.* replace (
    case when getvariable('finance') then spent_share end as spent_share,
    case when getvariable('finance') then spent_ahead end as spent_ahead
)
from resource_alignment
inner join seen_key_results using (kr_id)
where seen_key_results.is_theirs
    and (getvariable('finance') or people is not null)
