{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.touched_deals()) }}",
) }}
-- HubSpot lists versions newest first; Salesforce counts the ids of its versions up.
with histories as (
    select
        deal_id, property, -item_no as place, '' as version_id, {{ plumbline.as_text('null') }} as old_value, value,
        changed_at, by_id, _source, _record
    from {{ ref('stg_hubspot__deal_history') }}
    where not _deleted
    union all
    select deal_id, property, 0 as place, version_id, old_value, value, changed_at, by_id, _source, _record
    from {{ ref('stg_salesforce__history') }}
    where not _deleted
),

history as (
    select * from histories
    {%- if is_incremental() %}
    where _record in ({{ plumbline.touched_deals() }})
    {%- endif %}
),

deals as (
    select _record from {{ ref('stg_hubspot__deals') }}
    where not _deleted
    union all
    select _record from {{ ref('stg_salesforce__opportunities') }}
    where not _deleted
),

versions as (
    select
        history.*,
        coalesce(history.old_value, lag(history.value) over (
            partition by history._record, history.property
            order by history.changed_at, history.place, history.version_id
        )) as previous_value
    from history
    inner join deals on deals._record = history._record
)

-- A version of one property may repeat another: the record was written because of a third.
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
where value is distinct from previous_value
