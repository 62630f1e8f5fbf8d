-- What the audience may see, by ids, and how texts are shown to it. Variables: every_function, functions, finance, currency.

create macro is_theirs(function_id) as
    coalesce(getvariable('every_function') or list_contains(getvariable('functions'), function_id), false);

create macro currencies() as
    'AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BZD|CAD|CDF|CHF|CLP|CNY|COP|CRC|'
    || 'CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|'
    || 'JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MYR|'
    || 'MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|'
    || 'STN|SVC|SYP|SZL|THB|TJS|TMT|TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XCG|XOF|XPF|YER|ZAR|ZMW|ZWG';

-- A unit such as EUR, kEUR or EUR/day. Without a unit nothing is known to be money.
create macro is_money(unit) as
    coalesce(
        regexp_matches(unit, '\p{Sc}|(^|[^A-Za-z]|k|m|M|T)(' || currencies() || ')([^A-Za-z]|$)')
        or contains(lower(unit), lower(getvariable('currency'))),
        false
    );

-- The company's currency anywhere, another one beside a number, a currency's sign or its name. Rather too much than too little.
create macro states_money(text) as
    regexp_matches(text, '\p{Sc}')
    or regexp_matches(text, '(?i)(^|[^a-z])[kmt]?' || getvariable('currency') || '($|[^a-z])')
    or regexp_matches(text, '(?i)\b(euros?|dollars?|pounds?|francs?|kronor|kroner|yen|yuan|rupees?)\b')
    or regexp_matches(
        text,
        '[0-9][^A-Za-z]*(k|K|m|M|T|bn|Mio\.?|Mrd\.?|million|billion|thousand)?\s*(' || currencies() || ')\b|\b(' || currencies() || ')\s*[-+]?\s*[0-9]'
    );

-- A measure over amounts, or a metric, of which nothing is known.
create macro reads_amounts(measure_text) as
    coalesce(regexp_matches(measure_text, '\b_?amount|\b(ledger_entries|budget_lines|budget_days)\b'), true);

-- What a check found names the records that fail it, whosesoever they are.
create macro as_shown(text) as
    case
        when contains(text, 'Not to be trusted.') and contains(text, ' failed: ') then 'Not to be trusted. A check of its data fails.'
        when not getvariable('finance') and states_money(text) then 'Not shown: it states an amount of money.'
        else text
    end;

-- The numbers behind a status, where they are in the key result's own unit or count items.
create macro numbers_shown(rule, inputs) as
    case
        when rule = 'untrusted' then null
        when getvariable('finance') then inputs
        when rule in ('pace', 'forecast', 'band', 'stalled', 'integrity', 'handoff', 'starved')
            and not regexp_matches(inputs, '"[a-z_]*(budget|spent|amount|stake)[a-z_]*"') then inputs
    end;

-- The ids of a comma-separated text that are among others.
create macro only_ids(ids, among) as
    nullif(array_to_string(list_filter(string_split(ids, ','), lambda one: list_contains(among, one)), ','), '');

create table systems as
select distinct source, system from source_freshness;

create table reads as
select lineage.kr_id, coalesce(systems.system, 'unknown') as system
from lineage
left join systems using (source);

-- Work items know no money; deals know amounts; of any other system it is not known.
create table key_results_of_money as
select kr_id
from kr_current
where is_money(unit)
    or states_money(name)
    or reads_amounts(measure_text)
    or kr_id not in (select kr_id from reads)
    or kr_id in (select kr_id from reads where system not in ('jira', 'hubspot', 'salesforce'))
    or (measure_text like 'the metric %' and kr_id in (select kr_id from reads where system <> 'jira'))
    -- What it was earlier in the cycle still stands in the ledger.
    or kr_id in (
        select kr_id from strategy_changes
        where (field = 'unit' and is_money(old_value))
            or (field = 'measure' and (reads_amounts(old_value) or old_value like 'the metric %'))
    );

create table key_results_in_question as
select kr_id, objective_id, function_id, status, progress, as_of, handoffs
from kr_current
where getvariable('finance') or kr_id not in (select kr_id from key_results_of_money);

create table seen_handoffs as
select handoff_id from handoff_current
where is_theirs(giver_function) or is_theirs(receiver_function)
union
select unnest(string_split(handoffs, ',')) from key_results_in_question
where is_theirs(function_id) and handoffs is not null;

-- Theirs, and those that an exception over a hand-off of theirs speaks of.
create table seen_key_results as
select kr_id, objective_id, function_id, status, progress, as_of, is_theirs(function_id) as is_theirs
from key_results_in_question
where is_theirs(function_id)
    or kr_id in (
        select kr_id from exceptions
        inner join handoff_current using (handoff_id)
        where is_theirs(giver_function) or is_theirs(receiver_function)
    );

create table supports as
select objective_id, unnest(string_split(supports, ',')) as above_id
from objective_current
where supports <> '';

-- One that shows no key result and leads to none has no status to show either.
create table seen_objectives as
with recursive above as (
    select objective_id from seen_key_results where is_theirs
    union
    select supports.above_id from above
    inner join supports using (objective_id)
)

select objective_id from above
union
select objective_id from seen_key_results;

-- Each of them with itself and all that lead up to it.
create table seen_trees as
with recursive trees as (
    select objective_id as tree_id, objective_id as member_id from seen_objectives
    union
    select trees.tree_id, supports.objective_id from trees
    inner join supports on supports.above_id = trees.member_id
    inner join seen_objectives on seen_objectives.objective_id = supports.objective_id
)

select tree_id, member_id from trees;

create table named_functions as
select giver_function as function_id from handoff_current inner join seen_handoffs using (handoff_id)
union
select receiver_function from handoff_current inner join seen_handoffs using (handoff_id)
union
select function_id from seen_key_results
union
select function_id from objective_current inner join seen_objectives using (objective_id)
union
select giver_function from starvation where is_theirs(receiver_function)
union
select receiver_function from starvation where is_theirs(giver_function);

create macro severity(status) as case status when 'red' then 3 when 'amber' then 2 when 'green' then 1 else 0 end;

-- A lambda takes no query, so `only_ids` is given lists.
set variable seen_handoffs = (select list(handoff_id) from seen_handoffs);
set variable seen_objectives = (select list(objective_id) from seen_objectives);
