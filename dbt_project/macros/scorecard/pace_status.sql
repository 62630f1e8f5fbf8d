{#- What a pace says by the limits of cycle.yml; green where nothing is expected yet. -#}
{% macro pace_status(pace) -%}
    case
        when {{ pace }} < {{ plumbline.threshold('pace', 'red') }} then 'red'
        when {{ pace }} < {{ plumbline.threshold('pace', 'amber') }} then 'amber'
        else 'green'
    end
{%- endmacro %}
