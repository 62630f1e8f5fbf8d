{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'hubspot_deals'))) }}",
) }}
with history as (
    select * from {{ ref('stg_hubspot__deal_history') }}
    where not _deleted
    {%- if is_incremental() %}
        and _record in ({{ plumbline.new_record_names(source('raw', 'hubspot_deals')) }})
    {%- endif %}
),

deals as (
    select _source, deal_id from {{ ref('stg_hubspot__deals') }}
    where not _deleted
),

-- The system lists versions newest first.
versions as (
    select
        history.*,
        lag(history.value) over (
            partition by history._source, history.deal_id, history.property
            order by history.changed_at, history.item_no desc
        ) as previous_value
    from history
    inner join deals
        on deals._source = history._source
        and deals.deal_id = history.deal_id
)

select
    _source || '/' || deal_id as deal_id,
    case property
        when 'dealstage' then 'stage'
        when 'closedate' then 'close_date'
        when 'hubspot_owner_id' then 'owner'
        else property
    end as field,
    previous_value as from_value,
    value as to_value,
    changed_at as "at",
    by_id,
    _record
from versions
