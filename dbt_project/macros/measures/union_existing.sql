{#-
    The union of the series of those key results whose models are in the warehouse.

    A model that failed must not take the others with it: it is left out here, and the scorecard shows its key
    result as untrusted. Build the key results and the scorecard by two calls of dbt, as dbt skips what
    descends from a failed node within one.
-#}
{% macro union_existing(relations) %}
    {%- set found = namespace(any=false) -%}
    {%- for relation in relations if execute and load_relation(relation) %}
    {{ 'union all' if found.any }}
    select kr_id, date, value, records from {{ relation }}
    {%- set found.any = true %}
    {%- endfor %}
    {%- if not found.any %}
    select
        {{ plumbline.as_text('null') }} as kr_id,
        cast(null as date) as date,
        cast(null as decimal(28, 6)) as value,
        cast(null as bigint) as records
    where 1 = 0
    {%- endif %}
{% endmacro %}
