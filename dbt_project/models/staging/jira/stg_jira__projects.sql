with projects as (
    select * from {{ source('raw', 'jira_projects') }}
),

texts as (
    {{ plumbline.json_fields('projects', 'record', {
        'project_id': ['id'],
        'project_key': ['key'],
        'name': ['name'],
    }, keep=['_source', '_key', '_deleted']) }}
)

select
    project_id,
    project_key,
    name,
    _source,
    _source || '/projects/' || _key as _record,
    _deleted
from texts
