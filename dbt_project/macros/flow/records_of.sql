{#-
    What people know of the records that the table `wanted` names in its column record: what they are called, where they are
    opened, and the landed file that the newest version came in. One row is one record; what is not pulled any more has none.

    url: only where the system gives its records addresses; the name in it is escaped. found_in: file and row of what has none.
-#}
{% macro records_of(wanted) %}
    select
        issues._record as record,
        issues.issue_key as name,
        issues.summary as title,
        {{ plumbline.address_of('addresses.address', 'issues.issue_key') }} as url,
        {{ plumbline.as_text('null') }} as found_in,
        issues._landed_file as landed_file
    from {{ ref('stg_jira__issues') }} as issues
    left join {{ source('control', 'addresses') }} as addresses
        on addresses.source = issues._source
        and addresses.stream = 'issues'
    where issues._record in (select record from {{ wanted }})
    union all
    -- A change is seen on its issue. Each has a first field that it changed.
    select
        changes._record as record,
        issues.issue_key as name,
        issues.summary as title,
        {{ plumbline.address_of('addresses.address', 'issues.issue_key') }} as url,
        {{ plumbline.as_text('null') }} as found_in,
        changes._landed_file as landed_file
    from {{ ref('stg_jira__changelogs') }} as changes
    left join {{ ref('stg_jira__issues') }} as issues
        on issues._source = changes._source
        and issues.issue_id = changes.issue_id
    left join {{ source('control', 'addresses') }} as addresses
        on addresses.source = issues._source
        and addresses.stream = 'issues'
    where changes.item_no = 1
        and changes._record in (select record from {{ wanted }})
    union all
    select
        deals._record as record,
        deals.name,
        {{ plumbline.as_text('null') }} as title,
        {{ plumbline.address_of('addresses.address', 'deals.deal_id') }} as url,
        {{ plumbline.as_text('null') }} as found_in,
        deals._landed_file as landed_file
    from {{ ref('stg_hubspot__deals') }} as deals
    left join {{ source('control', 'addresses') }} as addresses
        on addresses.source = deals._source
        and addresses.stream = 'deals'
    where deals._record in (select record from {{ wanted }})
    union all
    select
        _record as record,
        coalesce(nullif(document, ''), _key) as name,
        description as title,
        {{ plumbline.as_text('null') }} as url,
        file || ', row ' || row_no as found_in,
        _landed_file as landed_file
    from {{ ref('stg_finance__ledger') }}
    where _record in (select record from {{ wanted }})
    union all
    select
        _record as record,
        _key as name,
        {{ plumbline.as_text('null') }} as title,
        {{ plumbline.as_text('null') }} as url,
        file || ', row ' || row_no as found_in,
        _landed_file as landed_file
    from {{ ref('stg_finance__budgets') }}
    where _record in (select record from {{ wanted }})
{%- endmacro %}


{#- The address of a record; null where its system or its own name gives none. -#}
{% macro address_of(address, name) -%}
    {{ address }} || {{ plumbline.url_text("nullif(" ~ name ~ ", '')") }}
{%- endmacro %}


{#- The rows of the table `contributions` (kr_id, record, "at", contribution, part) with what is known of their records. -#}
{% macro evidence_of(contributions) %}
select
    contributions.kr_id,
    contributions.record,
    contributions."at",
    contributions.contribution,
    contributions.part,
    records.name,
    records.title,
    records.url,
    records.found_in,
    records.landed_file
from {{ contributions }} as contributions
left join (
    {{- plumbline.records_of(contributions) }}
) as records on records.record = contributions.record
{%- endmacro %}
