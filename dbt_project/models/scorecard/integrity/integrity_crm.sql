{%- set settled_days = var('integrity_settled_days') -%}
with changes as (
    select * from {{ ref('deal_changes') }}
),

stages as (
    select * from {{ ref('deal_stages') }}
),

evidence as (
    select distinct record from {{ ref('evidence') }}
),

all_deals as (
    select
        *,
        {{ plumbline.local_date('won_at') }} as won_on,
        {{ plumbline.local_date('closed_at') }} as closed_on
    from {{ ref('deals') }}
    where not deleted
),

-- What a key result of this cycle may count.
deals as (
    select * from all_deals
    where not is_closed
        or closed_on >= {{ plumbline.first_day_of_cycle() }}
        or _record in (select record from evidence)
),

-- 1. Close date pushed again and again.
close_dates as (
    select
        deal_id,
        "at",
        by_id,
        from_value,
        to_value,
        count(*) over (partition by deal_id) as close_dates
    from changes
    where field = 'close_date'
        and deal_id in (select deal_id from deals)
),

movings as (
    select
        deal_id,
        "at",
        by_id,
        {{ plumbline.parse_date('from_value') }} as day_before,
        {{ plumbline.parse_date('to_value') }} as day_after
    from close_dates
    where close_dates >= {{ var('integrity_close_date_pushes') }}
),

pushes as (
    select
        *,
        row_number() over (partition by deal_id order by "at", day_after) as push_no,
        count(*) over (partition by deal_id) as pushes
    from movings
    where day_after > day_before
),

close_date_pushed as (
    select
        'close_date_pushed' as rule,
        false as is_severe,
        deals._record as record,
        deals.name as item,
        deals.function_id,
        {{ plumbline.local_date('pushes."at"') }} as on_date,
        pushes.by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        deals.name || ' had its close date moved later ' || {{ plumbline.as_text('pushes.pushes') }} || ' times, the last time to '
        || {{ plumbline.as_text('pushes.day_after') }} || '.' as sentence
    from pushes
    inner join deals on deals.deal_id = pushes.deal_id
    where pushes.pushes >= {{ var('integrity_close_date_pushes') }}
        and pushes.push_no = pushes.pushes
),

-- A deal may have come through stages of another pipeline, and its history names no pipeline.
stages_by_id as (
    select source, stage_id, min(stage) as stage, bool_or(is_closed) as is_closed, bool_or(is_won) as is_won
    from stages
    group by source, stage_id
),

-- Of won deals all moves, of others those of the cycle.
moves as (
    select
        changes.deal_id,
        changes."at",
        {{ plumbline.local_date('changes."at"') }} as day,
        changes.by_id,
        changes.from_value,
        changes.to_value,
        into_stage.stage as into_stage,
        coalesce(out_of_stage.is_won, false) as was_won,
        coalesce(into_stage.is_won, false) as becomes_won
    from changes
    inner join all_deals on all_deals.deal_id = changes.deal_id
    left join stages_by_id as into_stage
        on into_stage.source = all_deals.source
        and into_stage.stage_id = changes.to_value
    left join stages_by_id as out_of_stage
        on out_of_stage.source = all_deals.source
        and out_of_stage.stage_id = changes.from_value
    where changes.field = 'stage'
        and (all_deals.is_won or {{ plumbline.local_date('changes."at"') }} >= {{ plumbline.first_day_of_cycle() }})
),

-- 2. Won and then undone.
undoings as (
    select
        *,
        row_number() over (partition by deal_id order by "at" desc, to_value) as from_last
    from moves
    where was_won
        and not becomes_won
        and day >= {{ plumbline.first_day_of_cycle() }}
),

won_and_undone as (
    select
        'won_and_undone' as rule,
        -- What was won again counts once more when it has stayed won for long enough.
        coalesce(
            all_deals.won_at > undoings."at"
            and {{ plumbline.last_reported_day() }} < {{ plumbline.add_days('all_deals.won_on', settled_days) }},
            false
        ) as is_severe,
        all_deals._record as record,
        all_deals.name as item,
        all_deals.function_id,
        undoings.day as on_date,
        undoings.by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        all_deals.name || ' was won and went back to ' || coalesce(undoings.into_stage, 'an unknown stage') || ' on '
        || {{ plumbline.as_text('undoings.day') }}
        || case when all_deals.is_won then '; it was won again on ' || {{ plumbline.as_text('all_deals.won_on') }} || '.' else '.' end
            as sentence
    from undoings
    inner join all_deals on all_deals.deal_id = undoings.deal_id
    where from_last = 1
),

-- 3. Amount or stage edited after the deal was won.
edits_after_won as (
    select
        changes.*,
        {{ plumbline.local_date('changes."at"') }} as edited_on,
        row_number() over (partition by changes.deal_id order by changes."at" desc, changes.field, changes.to_value) as from_last
    from changes
    inner join deals on deals.deal_id = changes.deal_id
    where deals.is_won
        and changes.field in ('amount', 'stage')
        and {{ plumbline.local_date('changes."at"') }} > deals.won_on
        and changes.from_value <> ''
        and coalesce(changes.to_value, '') <> changes.from_value
),

edited_after_won as (
    select
        'edited_after_won' as rule,
        false as is_severe,
        deals._record as record,
        deals.name as item,
        deals.function_id,
        edits.edited_on as on_date,
        edits.by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        deals.name || ' was won on ' || {{ plumbline.as_text('deals.won_on') }} || ', and its ' || edits.field || ' was changed from '
        || edits.from_value || ' to ' || coalesce(nullif(edits.to_value, ''), 'nothing') || ' on '
        || {{ plumbline.as_text('edits.edited_on') }} || '.' as sentence
    from edits_after_won as edits
    inner join deals on deals.deal_id = edits.deal_id
    where edits.from_last = 1
),

-- 4. Stages skipped on the way to won, where won deals of the pipeline usually go through all of them.
open_stages as (
    select
        source,
        pipeline_id,
        stage_id,
        row_number() over (partition by source, pipeline_id order by stage_no, stage_id) as step
    from stages
    where not is_closed
),

steps_to_won as (
    select source, pipeline_id, max(step) + 1 as step
    from open_stages
    group by source, pipeline_id
),

-- Step 0 is before the deal existed; what is neither an open stage of the pipeline nor won has no step.
steps as (
    select
        all_deals.deal_id,
        moves."at",
        moves.day,
        moves.by_id,
        case when moves.from_value is null then 0 else out_of_open.step end as step_before,
        case when moves.becomes_won then steps_to_won.step else into_open.step end as step_after
    from moves
    inner join all_deals on all_deals.deal_id = moves.deal_id
    inner join steps_to_won
        on steps_to_won.source = all_deals.source
        and steps_to_won.pipeline_id = all_deals.pipeline_id
    left join open_stages as out_of_open
        on out_of_open.source = all_deals.source
        and out_of_open.pipeline_id = all_deals.pipeline_id
        and out_of_open.stage_id = moves.from_value
    left join open_stages as into_open
        on into_open.source = all_deals.source
        and into_open.pipeline_id = all_deals.pipeline_id
        and into_open.stage_id = moves.to_value
    where all_deals.is_won
),

ways as (
    select deal_id, max(step_after - step_before - 1) as skipped
    from steps
    where step_before is not null
        and step_after is not null
    group by deal_id
),

usual_ways as (
    select
        all_deals.source,
        all_deals.pipeline_id,
        sum(case when ways.skipped > 0 then 0 else 1.0 end) / count(*) as share_without
    from ways
    inner join all_deals on all_deals.deal_id = ways.deal_id
    group by all_deals.source, all_deals.pipeline_id
    having count(*) >= {{ var('integrity_usual_records') }}
),

skips as (
    select
        deal_id,
        day,
        by_id,
        step_after - step_before - 1 as skipped,
        row_number() over (partition by deal_id order by step_after - step_before desc, "at" desc, by_id) as from_largest
    from steps
    where step_after - step_before > 1
),

stages_skipped as (
    select
        'stages_skipped' as rule,
        false as is_severe,
        deals._record as record,
        deals.name as item,
        deals.function_id,
        skips.day as on_date,
        skips.by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        deals.name || ' was won on ' || {{ plumbline.as_text('deals.won_on') }} || ' and skipped '
        || {{ plumbline.spoken_count('skips.skipped', 'stage') }} || ' on ' || {{ plumbline.as_text('skips.day') }} || '; '
        || {{ plumbline.spoken_share('usual_ways.share_without') }} || ' of the won deals of its pipeline skip none.' as sentence
    from deals
    inner join skips on skips.deal_id = deals.deal_id
    inner join usual_ways
        on usual_ways.source = deals.source
        and usual_ways.pipeline_id = deals.pipeline_id
    where skips.from_largest = 1
        and usual_ways.share_without >= {{ var('integrity_usual_share') }}
),

-- 5. Open with a close date in the past.
overdue as (
    select
        *,
        {{ plumbline.add_days('close_date', var('integrity_overdue_days') + 1) }} as overdue_on
    from deals
    where not is_closed
),

open_past_close as (
    select
        'open_past_close' as rule,
        false as is_severe,
        _record as record,
        name as item,
        function_id,
        overdue_on as on_date,
        owner_id as by_id,
        {{ plumbline.as_text('null') }} as kr_id,
        name || ' is open although its close date was ' || {{ plumbline.as_text('close_date') }} || '.' as sentence
    from overdue
    where overdue_on <= {{ plumbline.last_reported_day() }}
)

select * from close_date_pushed
union all
select * from won_and_undone
union all
select * from edited_after_won
union all
select * from stages_skipped
union all
select * from open_past_close
