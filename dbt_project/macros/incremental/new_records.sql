{#-
    Models with a row for every record or event are incremental: they read the records of files that were loaded since
    staging and flow were last built (control.loads.built_at), and replace all that those records had given before.
    A build that breaks off marks nothing as built, so the next one reads the same files again and comes to the same rows.
-#}

{#- The rows of a raw table: all of them, or in an incremental build those that are new or have changed. -#}
{% macro new_records(relation) -%}
    select * from {{ relation }}
    {%- if is_incremental() %}
    where {{ plumbline.is_not_built() }}
    {%- endif %}
{%- endmacro %}


{#- Names (`_record`) of the new and changed rows of a raw table. -#}
{% macro new_record_names(relation) -%}
    select _source || '/' || _stream || '/' || _key as _record
    from {{ relation }}
    where {{ plumbline.is_not_built() }}
{%- endmacro %}


{#- Hook before an incremental model: takes out what the named records gave when they were read before. -#}
{% macro remove_outdated(column, names) -%}
    {%- if is_incremental() %}
    delete from {{ this }} where {{ column }} in ({{ names }})
    {%- endif %}
{%- endmacro %}


{% macro is_not_built() -%}
    _landed_file in (select file from {{ source('control', 'loads') }} where built_at is null)
{%- endmacro %}
