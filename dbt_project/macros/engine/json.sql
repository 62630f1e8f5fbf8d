{#-
    Reading JSON documents. A path is a list of keys: ['fields', 'status', 'id'].
    The defaults are SQL/JSON of the standard (JSON_VALUE, JSON_TABLE); DuckDB has its own functions.
-#}

{% macro json_path(path) -%}
    ${% for key in path %}."{{ key }}"{% endfor %}
{%- endmacro %}


{#- The text at `path`, null when there is nothing or a JSON null. -#}
{% macro json_text(document, path) -%}
    {{ return(adapter.dispatch('json_text', 'plumbline')(document, path)) }}
{%- endmacro %}

{% macro default__json_text(document, path) -%}
    json_value({{ document }}, '{{ plumbline.json_path(path) }}')
{%- endmacro %}

{% macro duckdb__json_text(document, path) -%}
    json_extract_string({{ document }}, '{{ plumbline.json_path(path) }}')
{%- endmacro %}


{#-
    A select over `relation`: the columns `keep`, and a text column for each name in `fields` (name: path).
    One macro for all fields of a document, because DuckDB parses the document once per call.
-#}
{% macro json_fields(relation, document, fields, keep) -%}
    {{ return(adapter.dispatch('json_fields', 'plumbline')(relation, document, fields, keep)) }}
{%- endmacro %}

{% macro default__json_fields(relation, document, fields, keep) %}
    select
        {{ keep | join(', ') }}
        {%- for name, path in fields.items() %},
        {{ plumbline.json_text(document, path) }} as {{ name }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{% macro duckdb__json_fields(relation, document, fields, keep) %}
    select
        {{ keep | join(', ') }}
        {%- for name in fields %},
        texts[{{ loop.index }}] as {{ name }}
        {%- endfor %}
    from (
        select
            {{ keep | join(', ') }},
            json_extract_string({{ document }}, [
                {%- for path in fields.values() %}
                '{{ plumbline.json_path(path) }}'{{ ',' if not loop.last }}
                {%- endfor %}
            ]) as texts
        from {{ relation }}
    ) as read
{%- endmacro %}


{#- A select over `relation`: the columns `keep` and a row for each element (`item`, `item_no` from 1) of the array at `path`. -#}
{% macro json_rows(relation, document, path, keep) -%}
    {{ return(adapter.dispatch('json_rows', 'plumbline')(relation, document, path, keep)) }}
{%- endmacro %}

{% macro default__json_rows(relation, document, path, keep) %}
    select {{ keep | join(', ') }}, elements.item, elements.item_no
    from {{ relation }}
    cross join json_table(
        {{ document }}, '{{ plumbline.json_path(path) }}[*]'
        columns (item_no for ordinality, item {{ dbt.type_string() }} format json path '$')
    ) as elements
{%- endmacro %}

{% macro duckdb__json_rows(relation, document, path, keep) %}
    select {{ keep | join(', ') }}, unnest(elements) as item, generate_subscripts(elements, 1) as item_no
    from (
        select {{ keep | join(', ') }}, json_extract({{ document }}, '{{ plumbline.json_path(path) }}[*]') as elements
        from {{ relation }}
    ) as arrays
{%- endmacro %}


{#-
    The same for several arrays of a document at once: `paths` is a dict of name: path, and the column `name` says which array a row is from.
    One macro for all of them, as above.
-#}
{% macro json_rows_of_each(relation, document, paths, name, keep) -%}
    {{ return(adapter.dispatch('json_rows_of_each', 'plumbline')(relation, document, paths, name, keep)) }}
{%- endmacro %}

{% macro default__json_rows_of_each(relation, document, paths, name, keep) %}
    {%- for label, path in paths.items() %}
    select '{{ label }}' as {{ name }}, {{ keep | join(', ') }}, item, item_no
    from ({{ plumbline.json_rows(relation, document, path, keep) }}) as {{ label }}_rows
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro duckdb__json_rows_of_each(relation, document, paths, name, keep) %}
    select {{ name }}, {{ keep | join(', ') }}, unnest(elements) as item, generate_subscripts(elements, 1) as item_no
    from (
        select ['{{ paths.keys() | join("', '") }}'][array_no] as {{ name }}, {{ keep | join(', ') }}, json_extract(one_array, '$[*]') as elements
        from (
            select {{ keep | join(', ') }}, unnest(arrays) as one_array, generate_subscripts(arrays, 1) as array_no
            from (
                select
                    {{ keep | join(', ') }},
                    json_extract({{ document }}, [
                        {%- for path in paths.values() %}
                        '{{ plumbline.json_path(path) }}'{{ ',' if not loop.last }}
                        {%- endfor %}
                    ]) as arrays
                from {{ relation }}
            ) as documents
        ) as found
    ) as elements_of_arrays
{%- endmacro %}


{#- The texts of the array at `path` (of `inner` in each element) as '|a|b|', '' when there are none: `like '%|a|%'` finds a. -#}
{% macro json_joined(document, path, inner=[]) -%}
    {{ return(adapter.dispatch('json_joined', 'plumbline')(document, path, inner)) }}
{%- endmacro %}

{% macro default__json_joined(document, path, inner) -%}
    coalesce((
        select '|' || listagg(element, '|') within group (order by element_no) || '|'
        from json_table(
            {{ document }}, '{{ plumbline.json_path(path) }}[*]'
            columns (element_no for ordinality, element {{ dbt.type_string() }} path '{{ plumbline.json_path(inner) }}')
        ) as elements
    ), '')
{%- endmacro %}

{% macro duckdb__json_joined(document, path, inner) -%}
    {%- set elements = plumbline.json_path(path) ~ '[*]' ~ plumbline.json_path(inner)[1:] -%}
    coalesce('|' || nullif(array_to_string(json_extract_string({{ document }}, '{{ elements }}'), '|'), '') || '|', '')
{%- endmacro %}


{#- JSON text of an object; `members` is a dict of name: SQL expression. -#}
{% macro json_object(members) -%}
    {{ return(adapter.dispatch('json_object', 'plumbline')(members)) }}
{%- endmacro %}

{% macro default__json_object(members) -%}
    json_object({% for name, value in members.items() %}'{{ name }}' value {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro duckdb__json_object(members) -%}
    cast(json_object({% for name, value in members.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %}) as text)
{%- endmacro %}
