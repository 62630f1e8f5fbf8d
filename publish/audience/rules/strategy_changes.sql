select * from strategy_changes
where case kind
    when 'key_result' then kr_id in (select kr_id from seen_key_results where is_theirs)
    when 'handoff' then subject in (select handoff_id from seen_handoffs)
    else kind in ('cycle', 'threshold')
end
