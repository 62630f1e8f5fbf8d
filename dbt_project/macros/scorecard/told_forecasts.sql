{#-
    What runs told of the future, as the ledger keeps it, where its day has come, against what came.

    Yields kr_id, date (on which it was told), horizon, p_met, is_in_band (of 80 %), is_met.
-#}
{% macro told_forecasts() -%}
    with days as (
        select kr_id, date, value from {{ ref('kr_daily') }}
    ),

    last_day as (
        select max(date) as date from days
    ),

    reports as (
        select
            *,
            row_number() over (partition by kr_id, date order by number) as report_no,
            row_number() over (partition by kr_id, date order by number desc) as report_no_from_last
        from {{ source('control', 'ledger') }}
    ),

    -- What came: of this cycle as it is known now, of earlier ones as it was last reported.
    came as (
        select kr_id, date, value from days
        where value is not null
        union all
        select reports.kr_id, reports.date, reports.value
        from reports
        left join days
            on days.kr_id = reports.kr_id
            and days.date = reports.date
        where reports.report_no_from_last = 1
            and reports.value is not null
            and days.kr_id is null
    ),

    -- A forecast counts as it was first told.
    told as (
        select kr_id, date, 'soon' as horizon, soon_on as for_date, soon_p10 as p10, soon_p90 as p90, soon_p_met as p_met,
            baseline, target, band_low, band_high
        from reports
        where report_no = 1
            and soon_on is not null
        union all
        select kr_id, date, 'end' as horizon, end_on as for_date, end_p10 as p10, end_p90 as p90, end_p_met as p_met,
            baseline, target, band_low, band_high
        from reports
        where report_no = 1
            and end_on is not null
    )

    select
        told.kr_id,
        told.date,
        told.horizon,
        told.p_met,
        came.value >= told.p10 and came.value <= told.p90 as is_in_band,
        case
            when told.target is null then {{ plumbline.is_in_band('came.value', 'told.band_low', 'told.band_high') }}
            when told.target > told.baseline then came.value >= told.target
            else came.value <= told.target
        end as is_met
    from told
    inner join came
        on came.kr_id = told.kr_id
        and came.date = told.for_date
    inner join last_day on told.for_date <= last_day.date
    where told.for_date > told.date
{%- endmacro %}
