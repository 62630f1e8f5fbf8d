{#- Schemas carry their plain names: the names are the public interface, and a prefix per target would change them. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
