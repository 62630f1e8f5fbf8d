select leading_indicators.* replace (
    case
        when getvariable('finance') or not reads_amounts(measure_text) then measure_text
        else 'Not shown: it reads amounts of money.'
    end as measure_text
)
from leading_indicators
inner join seen_key_results using (kr_id)
where is_theirs
