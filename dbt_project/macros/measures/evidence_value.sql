{#-
    The value of a measure computed from evidence, in two steps: what the records of a key result come to, and what
    its measure makes of that. `evidence` (columns of the model evidence) and `measures` (strategy_measures) are names of tables.

    A contribution bears the measure's sign already. A percentile and a ratio of amounts would lose it, hence `sign`.
-#}
{% macro evidence_totals(evidence, measures) -%}
        count(*) as records,
        sum({{ evidence }}.contribution) as total,
        sum(case when {{ evidence }}.part = 'numerator' then {{ evidence }}.contribution else 0 end) as numerator,
        sum(case when {{ evidence }}.part = 'denominator' then {{ evidence }}.contribution else 0 end) as denominator,
        {{ plumbline.percentile(measures ~ '.sign * ' ~ evidence ~ '.contribution', 0.5) }} as median,
        {{ plumbline.percentile(measures ~ '.sign * ' ~ evidence ~ '.contribution', 0.85) }} as p85
{%- endmacro %}


{#- Null where nothing is left to take an average, a percentile or a share of. `less`: a table with the totals of what is left out. -#}
{% macro value_of_totals(measures, totals, less=none) -%}
    {%- set left = {} -%}
    {%- for name in ('records', 'total', 'numerator', 'denominator') -%}
        {%- do left.update({name: '(coalesce(' ~ totals ~ '.' ~ name ~ ', 0)' ~ (' - ' ~ less ~ '.' ~ name if less else '') ~ ')'}) -%}
    {%- endfor -%}
    case
        when {{ measures }}.aggregate in ('count', 'sum', 'level') then cast({{ left.total }} as decimal(28, 6))
        when {{ measures }}.aggregate = 'avg' then cast({{ left.total }} / nullif({{ left.records }}, 0) as decimal(28, 6))
        when {{ measures }}.divisor = 'records'
            then cast({{ measures }}.scale * {{ left.numerator }} / nullif({{ left.records }}, 0) as decimal(28, 6))
        when {{ measures }}.divisor = 'amounts'
            then cast({{ measures }}.sign * {{ measures }}.scale * {{ left.numerator }} / nullif({{ left.total }}, 0) as decimal(28, 6))
        when {{ measures }}.divisor = 'against'
            then cast({{ measures }}.scale * {{ left.numerator }} / nullif({{ left.denominator }}, 0) as decimal(28, 6))
        {%- if not less %}
        when {{ measures }}.aggregate = 'median' then cast({{ measures }}.sign * {{ totals }}.median as decimal(28, 6))
        when {{ measures }}.aggregate = 'p85' then cast({{ measures }}.sign * {{ totals }}.p85 as decimal(28, 6))
        {%- endif %}
    end
{%- endmacro %}
