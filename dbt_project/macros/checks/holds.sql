{#- Fails for each row for which `expression` does not hold; unknown counts as failing. -#}
{% test holds(model, expression) %}
select *
from {{ model }}
where not coalesce({{ expression }}, false)
{% endtest %}


{#- Fails for each combination of `columns` that occurs more than once. -#}
{% test one_row_per(model, columns) %}
select {{ columns | join(', ') }}, count(*) as times
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
