{#-
    What people know of the records that the table `wanted` names in its column record: what they are called, where they are
    opened, and the landed file that the newest version came in. One row is one record; what is not pulled any more has none.

    url: only where the system gives its records addresses; the name in it is escaped. found_in: file and row of what has none.
-#}
{% macro records_of(wanted) %}
    select
        found.record,
        found.name,
        found.title,
        {{ plumbline.address_of('addresses.address', 'found.opened_by') }} as url,
        found.found_in,
        found.landed_file
    from (
        select
            _record as record,
            _source as source,
            'issues' as opened_as,
            issue_key as opened_by,
            issue_key as name,
            summary as title,
            {{ plumbline.as_text('null') }} as found_in,
            _landed_file as landed_file
        from {{ ref('stg_jira__issues') }}
        where _record in (select record from {{ wanted }})
        union all
        -- A change is seen on its issue. Each has a first field that it changed.
        select
            changes._record as record,
            changes._source as source,
            'issues' as opened_as,
            issues.issue_key as opened_by,
            issues.issue_key as name,
            issues.summary as title,
            {{ plumbline.as_text('null') }} as found_in,
            changes._landed_file as landed_file
        from {{ ref('stg_jira__changelogs') }} as changes
        left join {{ ref('stg_jira__issues') }} as issues
            on issues._source = changes._source
            and issues.issue_id = changes.issue_id
        where changes.item_no = 1
            and changes._record in (select record from {{ wanted }})
        union all
        select
            _record as record,
            _source as source,
            'deals' as opened_as,
            deal_id as opened_by,
            name,
            {{ plumbline.as_text('null') }} as title,
            {{ plumbline.as_text('null') }} as found_in,
            _landed_file as landed_file
        from {{ ref('stg_hubspot__deals') }}
        where _record in (select record from {{ wanted }})
        union all
        select
            _record as record,
            _source as source,
            'opportunities' as opened_as,
            deal_id as opened_by,
            name,
            {{ plumbline.as_text('null') }} as title,
            {{ plumbline.as_text('null') }} as found_in,
            _landed_file as landed_file
        from {{ ref('stg_salesforce__opportunities') }}
        where _record in (select record from {{ wanted }})
        union all
        select
            _record as record,
            _source as source,
            {{ plumbline.as_text('null') }} as opened_as,
            {{ plumbline.as_text('null') }} as opened_by,
            coalesce(nullif(document, ''), _key) as name,
            description as title,
            file || ', row ' || row_no as found_in,
            _landed_file as landed_file
        from {{ ref('stg_finance__ledger') }}
        where _record in (select record from {{ wanted }})
        union all
        select
            _record as record,
            _source as source,
            {{ plumbline.as_text('null') }} as opened_as,
            {{ plumbline.as_text('null') }} as opened_by,
            _key as name,
            {{ plumbline.as_text('null') }} as title,
            file || ', row ' || row_no as found_in,
            _landed_file as landed_file
        from {{ ref('stg_finance__budgets') }}
        where _record in (select record from {{ wanted }})
    ) as found
    left join {{ source('control', 'addresses') }} as addresses
        on addresses.source = found.source
        and addresses.stream = found.opened_as
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
