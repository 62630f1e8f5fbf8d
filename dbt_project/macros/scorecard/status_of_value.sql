{#-
    What the band, or pace, makes of a value; of none: red, as nothing is shown. Reads the columns kind, band_low and band_high.
-#}
{% macro status_of_value(value, pace) -%}
    case
        when {{ value }} is null then 'red'
        when kind = 'maintain' then case when {{ plumbline.is_in_band(value, 'band_low', 'band_high') }} then 'green' else 'red' end
        else {{ plumbline.pace_status(pace) }}
    end
{%- endmacro %}
