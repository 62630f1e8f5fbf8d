{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'salesforce_opportunities'))) }}",
) }}
with opportunities as (
    {{ plumbline.new_records(source('raw', 'salesforce_opportunities')) }}
),

texts as (
    {%- set fields = {
        'deal_id': ['Id'],
        'name': ['Name'],
        'stage_id': ['StageName'],
        'amount_text': ['Amount'],
        'currency': ['CurrencyIsoCode'],
        'close_text': ['CloseDate'],
        'created_text': ['CreatedDate'],
        'updated_text': ['SystemModstamp'],
        'owner_id': ['OwnerId'],
        'deleted_text': ['IsDeleted'],
    } -%}
    {%- for name in ['product', 'waits_for'] if var('salesforce_' ~ name ~ '_field') -%}
        {%- do fields.update({name: [var('salesforce_' ~ name ~ '_field')]}) -%}
    {%- endfor %}
    {{ plumbline.json_fields('opportunities', 'record', fields, keep=['_source', '_key', '_landed_file', '_deleted']) }}
),

parsed as (
    select
        *,
        {{ plumbline.parse_timestamp('created_text') }} as created_at,
        {{ plumbline.parse_timestamp('updated_text') }} as updated_at,
        {{ plumbline.parse_timestamp('close_text') }} as close_at,
        {{ plumbline.parse_decimal('amount_text', 18, 2) }} as amount
    from texts
)

-- Stages are the same for the whole org: it is one pipeline. What an amount is in another currency, Salesforce does not say.
select
    deal_id,
    name,
    case when deal_id is not null then 'opportunities' end as pipeline_id,
    stage_id,
    amount,
    cast(null as decimal(18, 2)) as amount_company,
    currency,
    created_at,
    updated_at,
    close_at,
    owner_id,
    {% for name in ['product', 'waits_for'] -%}
    {% if var('salesforce_' ~ name ~ '_field') -%}
    nullif({{ name }}, '') as {{ name }},
    {% else -%}
    {{ plumbline.as_text('null') }} as {{ name }},
    {% endif -%}
    {% endfor -%}
    {{ plumbline.unreadable({
        'Id': 'deal_id',
        'StageName': 'stage_id',
        'CreatedDate': 'created_at',
        'SystemModstamp': 'updated_at',
        'CloseDate': 'close_at',
    }, optional={
        'Amount': ('amount_text', 'amount'),
    }) }} as unreadable,
    _source,
    _source || '/opportunities/' || _key as _record,
    _landed_file,
    _deleted or coalesce(deleted_text = 'true', false) as _deleted
from parsed
