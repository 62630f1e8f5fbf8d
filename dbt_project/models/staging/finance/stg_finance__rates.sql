with lines as (
    select * from {{ source('raw', 'finance_rates') }}
    where not _deleted
),

texts as (
    {{ plumbline.json_fields('lines', 'record', {
        'gone': ['gone'],
        'date_text': ['posting', 'date'],
        'currency': ['posting', 'currency'],
        'rate_text': ['posting', 'rate'],
    }, keep=['_source', '_key']) }}
),

parsed as (
    select
        currency,
        {{ plumbline.parse_date('date_text') }} as valid_from,
        {{ plumbline.parse_decimal('rate_text', 18, 8) }} as rate,
        _source,
        _key
    from texts
    where coalesce(gone, 'false') <> 'true'
),

-- A day has one rate, also when two sources give one.
ranked as (
    select *, row_number() over (partition by currency, valid_from order by _source, _key) as place
    from parsed
    where valid_from is not null and rate is not null
)

select
    currency,
    valid_from,
    coalesce(
        lead(valid_from) over (partition by currency order by valid_from),
        cast('9999-12-31' as date)
    ) as valid_until,
    rate,
    _source,
    _source || '/rates/' || _key as _record
from ranked
where place = 1
