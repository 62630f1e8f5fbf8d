{#-
    Key results taken together: the weakest decides, progress is their average.

    key_results: a relation with kr_id, status, progress, as_of; by: its column that says what a key result is part of.
    Yields a row for each of these: status, progress (one without progress counts as 0), key_results, green, amber,
    red, weakest_kr_id (the worst status and, among those, the least progress), as_of.
-#}
{% macro roll_up(key_results, by) -%}
    select
        {{ by }},
        max(case when from_weakest = 1 then status end) as status,
        cast(sum(coalesce(progress, 0)) / count(*) as decimal(18, 6)) as progress,
        cast(count(*) as integer) as key_results,
        cast(sum(case when status = 'green' then 1 else 0 end) as integer) as green,
        cast(sum(case when status = 'amber' then 1 else 0 end) as integer) as amber,
        cast(sum(case when status = 'red' then 1 else 0 end) as integer) as red,
        max(case when from_weakest = 1 then kr_id end) as weakest_kr_id,
        max(as_of) as as_of
    from (
        select
            {{ by }}, kr_id, status, progress, as_of,
            row_number() over (
                partition by {{ by }}
                order by {{ plumbline.severity('status') }} desc, coalesce(progress, 0), kr_id
            ) as from_weakest
        from {{ key_results }}
    ) as ranked
    group by {{ by }}
{%- endmacro %}
