with functions as (
    select * from {{ ref('strategy_functions') }}
),

key_results as (
    select * from {{ ref('kr_current') }}
),

by_function as (
    {{ plumbline.roll_up('key_results', 'function_id') }}
)

select
    functions.function_id,
    functions.name,
    functions.head_name,
    functions.head_email,
    by_function.status,
    by_function.progress,
    coalesce(by_function.key_results, 0) as key_results,
    coalesce(by_function.green, 0) as green,
    coalesce(by_function.amber, 0) as amber,
    coalesce(by_function.red, 0) as red,
    by_function.weakest_kr_id,
    by_function.as_of
from functions
left join by_function on by_function.function_id = functions.function_id
