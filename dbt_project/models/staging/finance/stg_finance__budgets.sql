{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'finance_budgets'))) }}",
) }}
with lines as (
    {{ plumbline.new_records(source('raw', 'finance_budgets')) }}
),

texts as (
    {{ plumbline.json_fields('lines', 'record', {
        'file': ['file'],
        'row_no': ['row'],
        'gone': ['gone'],
        'month_text': ['posting', 'month'],
        'account': ['posting', 'account'],
        'account_type': ['posting', 'account_type'],
        'cost_centre': ['posting', 'cost_centre'],
        'amount_text': ['posting', 'amount'],
        'currency': ['posting', 'currency'],
        'amount_company_text': ['posting', 'amount_company'],
    }, keep=['_source', '_key', '_landed_file', '_deleted']) }}
),

parsed as (
    select
        *,
        {{ plumbline.parse_date("case when length(month_text) = 7 then month_text || '-01' else month_text end") }} as month_day,
        {{ plumbline.parse_decimal('amount_text', 18, 2) }} as amount,
        {{ plumbline.parse_decimal('amount_company_text', 18, 2) }} as amount_company
    from texts
)

select
    {{ plumbline.month_of('month_day') }} as month,
    account,
    account_type,
    cost_centre,
    amount,
    -- A profile leaves it open where the system writes none: its books are in the company's currency.
    coalesce(currency, '{{ var('company_currency') }}') as currency,
    amount_company,
    {{ plumbline.unreadable({
        'month': 'month_day',
        'account': 'account',
        'amount': 'amount',
    }, optional={
        'amount_company': ('amount_company_text', 'amount_company'),
    }) }} as unreadable,
    file,
    row_no,
    _source,
    _key,
    _source || '/budgets/' || _key as _record,
    _landed_file,
    -- Its file was sent again without it.
    _deleted or coalesce(gone, 'false') = 'true' as _deleted
from parsed
