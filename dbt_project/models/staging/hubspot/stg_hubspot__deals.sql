{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'hubspot_deals'))) }}",
) }}
with deals as (
    {{ plumbline.new_records(source('raw', 'hubspot_deals')) }}
),

texts as (
    {%- set fields = {
        'deal_id': ['id'],
        'name': ['properties', 'dealname'],
        'pipeline_id': ['properties', 'pipeline'],
        'stage_id': ['properties', 'dealstage'],
        'amount_text': ['properties', 'amount'],
        'amount_company_text': ['properties', 'amount_in_home_currency'],
        'currency': ['properties', 'deal_currency_code'],
        'close_text': ['properties', 'closedate'],
        'create_text': ['properties', 'createdate'],
        'owner_id': ['properties', 'hubspot_owner_id'],
        'created_text': ['createdAt'],
        'updated_text': ['updatedAt'],
        'archived': ['archived'],
    } -%}
    {%- for name in ['product', 'waits_for'] if var('hubspot_' ~ name ~ '_property') -%}
        {%- do fields.update({name: ['properties', var('hubspot_' ~ name ~ '_property')]}) -%}
    {%- endfor %}
    {{ plumbline.json_fields('deals', 'record', fields, keep=['_source', '_key', '_landed_file', '_deleted']) }}
),

parsed as (
    select
        *,
        {{ plumbline.parse_timestamp("coalesce(nullif(create_text, ''), created_text)") }} as created_at,
        {{ plumbline.parse_timestamp('updated_text') }} as updated_at,
        {{ plumbline.parse_timestamp('close_text') }} as close_at,
        {{ plumbline.parse_decimal('amount_text', 18, 2) }} as amount,
        {{ plumbline.parse_decimal('amount_company_text', 18, 2) }} as amount_company
    from texts
)

select
    deal_id,
    name,
    pipeline_id,
    stage_id,
    amount,
    amount_company,
    nullif(currency, '') as currency,
    created_at,
    updated_at,
    close_at,
    nullif(owner_id, '') as owner_id,
    {% for name in ['product', 'waits_for'] -%}
    {% if var('hubspot_' ~ name ~ '_property') -%}
    nullif({{ name }}, '') as {{ name }},
    {% else -%}
    {{ plumbline.as_text('null') }} as {{ name }},
    {% endif -%}
    {% endfor -%}
    {{ plumbline.unreadable({
        'id': 'deal_id',
        'pipeline': 'pipeline_id',
        'dealstage': 'stage_id',
        'createdate': 'created_at',
        'updatedAt': 'updated_at',
    }, optional={
        'closedate': ('close_text', 'close_at'),
        'amount': ('amount_text', 'amount'),
        'amount_in_home_currency': ('amount_company_text', 'amount_company'),
    }) }} as unreadable,
    _source,
    _source || '/deals/' || _key as _record,
    _landed_file,
    _deleted or coalesce(archived = 'true', false) as _deleted
from parsed
