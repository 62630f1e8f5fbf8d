-- Of suspect deals and postings the sentence may state an amount without its currency.
with suspects as (
    select integrity_events.*, coalesce(systems.system, 'unknown') as of_system
    from integrity_events
    left join systems on systems.source = split_part(integrity_events.record, '/', 1)
)

select suspects.* exclude (of_system) replace (
    case
        when getvariable('finance') or of_system = 'jira' then sentence
        else 'What is suspect about it may state an amount of money, so it is not shown.'
    end as sentence
)
from suspects
where (
        kr_id in (select kr_id from seen_key_results where is_theirs)
        or (kr_id is null and is_theirs(function_id))
    )
    and (getvariable('finance') or of_system in ('jira', 'hubspot', 'salesforce'))
