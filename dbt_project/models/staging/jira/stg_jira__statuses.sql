with listed as (
    select * from {{ source('raw', 'jira_statuses') }}
),

issues as (
    select * from {{ ref('stg_jira__issues') }}
),

listed_texts as (
    {{ plumbline.json_fields('listed', 'record', {
        'status_id': ['id'],
        'status': ['name'],
        'category_key': ['statusCategory', 'key'],
    }, keep=['_source', '_key', '_deleted']) }}
),

-- A status that the site no longer lists, or does not show to this account, is still known from its issues: the newest is right.
seen_on_issues as (
    select
        issues._source,
        issues.status_id,
        issues.status,
        issues.status_category as category_key,
        issues._record,
        row_number() over (
            partition by issues._source, issues.status_id
            order by issues.updated_at desc, issues._record
        ) as place_from_newest
    from issues
    left join listed_texts
        on listed_texts._source = issues._source
        and listed_texts.status_id = issues.status_id
    where issues.status_id is not null
        and listed_texts.status_id is null
),

known as (
    select status_id, status, category_key, _source, _source || '/statuses/' || _key as _record, _deleted
    from listed_texts
    union all
    select status_id, status, category_key, _source, _record, false as _deleted
    from seen_on_issues
    where place_from_newest = 1
)

select
    status_id,
    status,
    case category_key
        when 'new' then 'todo'
        when 'indeterminate' then 'in_progress'
        when 'done' then 'done'
    end as status_category,
    _source,
    _record,
    _deleted
from known
