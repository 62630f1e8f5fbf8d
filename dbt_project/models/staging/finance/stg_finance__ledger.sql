{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ plumbline.remove_outdated('_record', plumbline.new_record_names(source('raw', 'finance_ledger'))) }}",
) }}
with lines as (
    {{ plumbline.new_records(source('raw', 'finance_ledger')) }}
),

texts as (
    {{ plumbline.json_fields('lines', 'record', {
        'file': ['file'],
        'row_no': ['row'],
        'gone': ['gone'],
        'date_text': ['posting', 'date'],
        'posted_text': ['posting', 'posted_at'],
        'account': ['posting', 'account'],
        'account_name': ['posting', 'account_name'],
        'account_type': ['posting', 'account_type'],
        'cost_centre': ['posting', 'cost_centre'],
        'amount_text': ['posting', 'amount'],
        'currency': ['posting', 'currency'],
        'amount_company_text': ['posting', 'amount_company'],
        'document': ['posting', 'document'],
        'line': ['posting', 'line'],
        'counterparty': ['posting', 'counterparty'],
        'description': ['posting', 'description'],
    }, keep=['_source', '_key', '_landed_file', '_deleted']) }}
),

parsed as (
    select
        *,
        {{ plumbline.parse_date('date_text') }} as date,
        {{ plumbline.parse_timestamp("coalesce(nullif(posted_text, ''), date_text)") }} as posted_at,
        {{ plumbline.parse_decimal('amount_text', 18, 2) }} as amount,
        {{ plumbline.parse_decimal('amount_company_text', 18, 2) }} as amount_company
    from texts
)

select
    date,
    posted_at,
    account,
    account_name,
    account_type,
    cost_centre,
    amount,
    -- A profile leaves it open where the system writes none: its books are in the company's currency.
    coalesce(currency, '{{ var('company_currency') }}') as currency,
    amount_company,
    document,
    line,
    counterparty,
    description,
    {{ plumbline.unreadable({
        'date': 'date',
        'account': 'account',
        'amount': 'amount',
    }, optional={
        'posted_at': ('posted_text', 'posted_at'),
        'amount_company': ('amount_company_text', 'amount_company'),
    }) }} as unreadable,
    file,
    row_no,
    _source,
    _key,
    _source || '/ledger/' || _key as _record,
    _landed_file,
    -- Its file was sent again without it.
    _deleted or coalesce(gone, 'false') = 'true' as _deleted
from parsed
