{#-
    What pace says: green while what is missing is no more than the leeway, else by the limits of cycle.yml.

    missing: how far the value lies from the expected one, in the unit of the value; leeway: as in kr_progress.
-#}
{% macro pace_status(pace, missing, leeway) -%}
    case
        when abs({{ missing }}) <= {{ leeway }} then 'green'
        when {{ pace }} < {{ plumbline.threshold('pace', 'red') }} then 'red'
        when {{ pace }} < {{ plumbline.threshold('pace', 'amber') }} then 'amber'
        else 'green'
    end
{%- endmacro %}
