{#-
    What the band, or the thresholds of pace, make of a value; of none: red, as nothing is shown. Reads the columns kind, band_low,
    band_high, red_below and amber_below.
-#}
{% macro status_of_value(value, pace) -%}
    case
        when {{ value }} is null then 'red'
        when kind = 'maintain' then case when {{ plumbline.is_in_band(value, 'band_low', 'band_high') }} then 'green' else 'red' end
        when {{ pace }} < red_below then 'red'
        when {{ pace }} < amber_below then 'amber'
        else 'green'
    end
{%- endmacro %}
