{#- Names (`_record`) of the deals of which something has arrived since staging and flow were last built. -#}
{% macro touched_deals() -%}
    {{ plumbline.new_record_names(source('raw', 'hubspot_deals')) }}
    union all
    {{ plumbline.new_record_names(source('raw', 'salesforce_opportunities')) }}
    union all
    select _record from {{ ref('stg_salesforce__history') }}
    where {{ plumbline.is_not_built() }}
{%- endmacro %}
