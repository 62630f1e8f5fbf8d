-- A small warehouse in which every gate holds: the columns that the staging and scorecard models make, two sources.
CREATE SCHEMA staging;
CREATE SCHEMA scorecard;

CREATE TABLE staging.stg_jira__issues AS
SELECT
    id AS issue_id, 'PLAT-' || id AS issue_key, '1' AS project_id, 'PLAT' AS project_key, 'Work' AS summary,
    '10' AS type_id, 'Story' AS type, 0 AS type_level, '3' AS status_id, 'Doing' AS status,
    'indeterminate' AS status_category, NULL::VARCHAR AS parent_id, '|api|' AS labels, '' AS fix_versions,
    2.5::DECIMAL(18, 2) AS estimate, 'High' AS priority, 'a1' AS assignee_id, 'r1' AS reporter_id,
    TIMESTAMPTZ '2026-10-01 08:00:00+02' AS created_at, TIMESTAMPTZ '2026-10-30 23:59:59+01' AS updated_at,
    NULL::TIMESTAMPTZ AS resolved_at, NULL::VARCHAR AS unreadable,
    source AS _source, source || '/issues/' || id AS _record, false AS _deleted
FROM (VALUES ('acme', '101'), ('acme', '102'), ('other', '101')) AS made (source, id);
-- What is deleted is not looked at.
INSERT INTO staging.stg_jira__issues (_source, _record, _deleted) VALUES ('acme', 'acme/issues/103', true);

CREATE TABLE staging.stg_jira__changelogs AS
SELECT
    '101' AS issue_id, '9' || item_no AS history_id, item_no, 'status' AS field_name, 'status' AS field_id,
    '1' AS from_value, 'To do' AS from_text, '3' AS to_value, 'Doing' AS to_text,
    TIMESTAMPTZ '2026-10-02 08:00:00+02' AS changed_at, 'a1' AS author_id, NULL::VARCHAR AS unreadable,
    source AS _source, source || '/changelogs/101/9' AS _record, false AS _deleted
FROM (VALUES ('acme', 1), ('acme', 2), ('other', 1)) AS made (source, item_no);

CREATE TABLE staging.stg_jira__statuses AS
SELECT
    id AS status_id, status, category AS status_category, source AS _source,
    source || '/statuses/' || id AS _record, false AS _deleted
FROM (VALUES ('1', 'To do', 'todo'), ('3', 'Doing', 'in_progress'), ('5', 'Done', 'done')) AS made (id, status, category)
CROSS JOIN (VALUES ('acme'), ('other')) AS sources (source);

CREATE TABLE staging.stg_hubspot__deals AS
SELECT
    id AS deal_id, 'A deal' AS name, 'p1' AS pipeline_id, stage AS stage_id, amount::DECIMAL(18, 2) AS amount,
    amount::DECIMAL(18, 2) AS amount_company, currency, TIMESTAMPTZ '2026-10-01 08:00:00Z' AS created_at,
    TIMESTAMPTZ '2026-10-01 08:00:00Z' AS updated_at, TIMESTAMPTZ '2027-03-01 00:00:00Z' AS close_at,
    'o1' AS owner_id, NULL::VARCHAR AS product, NULL::VARCHAR AS waits_for, NULL::VARCHAR AS unreadable,
    'crm' AS _source, 'crm/deals/' || id AS _record, false AS _deleted
FROM (VALUES ('1', 'open', NULL, NULL), ('2', 'won', 100, 'EUR')) AS made (id, stage, amount, currency);

CREATE TABLE staging.stg_hubspot__stages AS
SELECT
    'p1' AS pipeline_id, 'Sales' AS pipeline, id AS stage_id, upper(id) AS stage, 1 AS stage_no,
    0.5::DECIMAL(9, 4) AS probability, id = 'won' AS is_closed, id = 'won' AS is_won, 'crm' AS _source,
    'crm/pipelines/p1' AS _record, false AS _deleted
FROM (VALUES ('open'), ('won')) AS made (id);

CREATE TABLE staging.stg_salesforce__opportunities AS
SELECT * REPLACE (
    'opportunities' AS pipeline_id, NULL::DECIMAL(18, 2) AS amount_company, 'org' AS _source,
    'org/opportunities/' || deal_id AS _record
) FROM staging.stg_hubspot__deals;

CREATE TABLE staging.stg_salesforce__stages AS
SELECT * REPLACE (
    'opportunities' AS pipeline_id, 'Opportunities' AS pipeline, 'org' AS _source, 'org/stages/' || stage_id AS _record
) FROM staging.stg_hubspot__stages;

CREATE TABLE staging.stg_finance__ledger AS
SELECT
    DATE '2026-10-31' AS date, TIMESTAMPTZ '2026-10-30 10:00:00Z' AS posted_at, '4400' AS account,
    'Revenue' AS account_name, 'revenue' AS account_type, '4100' AS cost_centre, -10.01::DECIMAL(18, 2) AS amount,
    'EUR' AS currency, -10.01::DECIMAL(18, 2) AS amount_company, 'D1' AS document, id AS line,
    NULL::VARCHAR AS counterparty, NULL::VARCHAR AS description, NULL::VARCHAR AS unreadable, 'books' AS _source,
    id AS _key, 'books/ledger/' || id AS _record, false AS _deleted
FROM (VALUES ('1'), ('2')) AS made (id);

CREATE TABLE staging.stg_finance__budgets AS
SELECT
    DATE '2027-01-01' AS month, '6000' AS account, 'expense' AS account_type, '4100' AS cost_centre,
    100::DECIMAL(18, 2) AS amount, 'EUR' AS currency, 100::DECIMAL(18, 2) AS amount_company,
    NULL::VARCHAR AS unreadable, 'books' AS _source, id AS _key, 'books/budgets/' || id AS _record, false AS _deleted
FROM (VALUES ('1'), ('2')) AS made (id);

CREATE TABLE scorecard.kr_daily AS
SELECT
    kr AS kr_id, day AS date, value::DECIMAL(28, 6) AS value, 1::BIGINT AS records,
    (value / 10)::DECIMAL(18, 6) AS progress, 0.5::DECIMAL(18, 6) AS expected_progress, 5::DECIMAL(28, 6) AS expected_value,
    0.9::DECIMAL(18, 6) AS pace, status, 'pace' AS rule, 'Half of the way is done.' AS reason, '{}' AS inputs
FROM (VALUES ('faster', 5, 'green'), ('steady', NULL, 'amber')) AS made (kr, value, status)
CROSS JOIN (VALUES (DATE '2026-10-29'), (DATE '2026-10-30')) AS days (day);

CREATE TABLE scorecard.kr_current AS
SELECT * RENAME (date AS as_of), 'o1' AS objective_id, 'Ada' AS owner_name, 'ada@example.com' AS owner_email
FROM scorecard.kr_daily WHERE date = DATE '2026-10-30';

CREATE TABLE scorecard.objective_current AS
SELECT
    id AS objective_id, 'An objective' AS name, 'company' AS level, status, 0.5::DECIMAL(18, 6) AS progress,
    krs AS key_results, krs - amber AS green, amber, 0 AS red, weakest AS weakest_kr_id, DATE '2026-10-30' AS as_of
FROM (VALUES ('o1', 'amber', 2, 1, 'steady'), ('o2', NULL, 0, 0, NULL)) AS made (id, status, krs, amber, weakest);

CREATE TABLE scorecard.function_current AS
SELECT
    id AS function_id, 'A function' AS name, status, krs AS key_results, krs - amber AS green, amber, 0 AS red, weakest AS weakest_kr_id
FROM (VALUES ('f1', 'amber', 2, 1, 'steady'), ('f2', NULL, 0, 0, NULL)) AS made (id, status, krs, amber, weakest);

CREATE TABLE scorecard.forecasts AS
SELECT
    'faster' AS kr_id, DATE '2026-10-30' AS date, horizon, DATE '2026-11-20' AS for_date, 1::DECIMAL(28, 6) AS p10,
    2::DECIMAL(28, 6) AS p50, 2::DECIMAL(28, 6) AS p90, 1::DECIMAL(9, 6) AS p_met, 0::DECIMAL(9, 6) AS reference_weight, 0::DECIMAL(9, 6) AS indicator_weight
FROM (VALUES ('soon'), ('end')) AS made (horizon);

CREATE TABLE scorecard.forecast_scores AS
SELECT
    basis, 'end' AS horizon, 0.9::DECIMAL(9, 6) AS p_from, 1::DECIMAL(9, 6) AS p_to, 10::BIGINT AS forecasts, 8::BIGINT AS in_band,
    0.95::DECIMAL(9, 6) AS foretold, 1::DECIMAL(9, 6) AS came_true, 0.0025::DECIMAL(9, 6) AS brier
FROM (VALUES ('told'), ('back-test')) AS made (basis);

CREATE TABLE scorecard.kr_forecast_scores AS
SELECT
    'faster' AS kr_id, horizon, 10::BIGINT AS forecasts, 8::BIGINT AS in_band, 0.5::DECIMAL(9, 6) AS foretold,
    1::DECIMAL(9, 6) AS came_true, 0.25::DECIMAL(9, 6) AS brier
FROM (VALUES ('soon'), ('end')) AS made (horizon);

CREATE TABLE scorecard.grades AS
SELECT kind, subject, grade::DECIMAL(9, 6) AS grade, NULL::DECIMAL(9, 6) AS original_grade, krs AS key_results
FROM (VALUES ('key_result', 'faster', 1, 1), ('key_result', 'steady', NULL, 1), ('objective', 'o1', 0.5, 2)) AS made (kind, subject, grade, krs);

CREATE TABLE scorecard.leading_indicators AS
SELECT 'faster' AS kr_id, number AS indicator_no, verdict, weeks AS lead_weeks
FROM (VALUES (1, 'leads', 3), (2, 'coincides', 0), (3, 'no evidence', NULL)) AS made (number, verdict, weeks);

CREATE TABLE scorecard.handoff_daily AS
SELECT
    'apis' AS handoff_id, day AS date, 'amber' AS status, 3 AS items, 1 AS done, 2 AS open, 2 AS waiting,
    DATE '2026-11-20' AS p50_on, NULL::DATE AS p85_on
FROM (VALUES (DATE '2026-10-29'), (DATE '2026-10-30')) AS days (day);

-- Of an undeclared one nobody draws a finish.
CREATE TABLE scorecard.handoff_current AS
SELECT
    id AS handoff_id, 'giver@example.com' AS giving_head_email, 'receiver@example.com' AS receiving_head_email, 'amber' AS status,
    3 AS items, 1 AS done, 2 AS open, 2 AS waiting, finish AS p50_on, finish AS p85_on
FROM (VALUES ('apis', DATE '2026-11-20'), ('undeclared/a/b', NULL)) AS made (id, finish);

CREATE TABLE scorecard.handoff_evidence AS
SELECT 'apis' AS handoff_id, part, 'acme/issues/' || number AS record, state
FROM (VALUES ('item', 1, 'waiting'), ('item', 2, 'done'), ('deal', 3, 'Negotiation')) AS made (part, number, state);

CREATE TABLE scorecard.starvation AS
SELECT
    'a' AS giver_function, 'b' AS receiver_function, week AS cycle_week, 2 AS waiting, 3.5::DECIMAL(18, 6) AS average_days_waited,
    0.25::DECIMAL(18, 6) AS share_of_finished
FROM (VALUES (1), (2)) AS made (week);

CREATE TABLE scorecard.exceptions AS
SELECT
    'steady/' || opened AS exception_id, 'steady' AS kr_id, state, closed IS NULL AS is_open, 'giver@example.com' AS giving_head_email,
    'receiver@example.com' AS receiving_head_email, opened AS opened_on, closed AS closed_on
FROM (VALUES ('closed', DATE '2026-10-07', DATE '2026-10-09'), ('reopened', DATE '2026-10-20', NULL)) AS made (state, opened, closed);

CREATE TABLE scorecard.flags AS
SELECT 'key_result/steady/pace/' || opened AS flag_id, 'amber' AS severity, opened AS opened_on, closed AS closed_on, closed IS NULL AS is_open
FROM (VALUES (DATE '2026-10-07', DATE '2026-10-09'), (DATE '2026-10-20', NULL)) AS made (opened, closed);

CREATE TABLE scorecard.integrity_events AS
SELECT
    'reopened/acme/issues/1' AS event_id, kr AS kr_id, DATE '2026-10-20' AS on_date, weight::DECIMAL(28, 6) AS contribution,
    weight::DECIMAL(28, 6) AS effect
FROM (VALUES ('faster', 1), ('steady', NULL)) AS made (kr, weight);

CREATE TABLE scorecard.evidence AS
SELECT 'faster' AS kr_id, 'acme/issues/' || number AS record, 'value' AS part, 1::DECIMAL(28, 6) AS contribution
FROM (VALUES (1), (2)) AS made (number);

CREATE TABLE scorecard.restatements AS
SELECT
    'faster' AS kr_id, DATE '2026-10-20' + number AS date, 3::DECIMAL(28, 6) AS difference, part AS from_late, part AS from_edited,
    part AS from_definition, part IS NOT NULL AS is_split, reason AS unsplit_reason
FROM (VALUES (1, 1::DECIMAL(28, 6), NULL), (2, NULL, 'It waits.')) AS made (number, part, reason);

CREATE TABLE scorecard.ledger AS
SELECT number, 'h' || number AS hash, 'green' AS status, DATE '2026-10-20' AS date, DATE '2026-10-20' AS as_of
FROM (VALUES (2), (3)) AS made (number);

CREATE TABLE scorecard.source_freshness AS
SELECT 'acme' AS source, stream, 5::BIGINT AS rows, behind AS days_behind, allowed AS business_lag_days, stale
FROM (VALUES ('issues', 3, 2, true), ('deals', 2, 2, false), ('ledger', NULL, 2, true), ('owners', NULL, NULL, false))
    AS made (stream, behind, allowed, stale);

CREATE TABLE scorecard.checks AS
SELECT
    'gate' AS kind, 'staging.stg_jira__issues' AS subject, name AS check_name, since IS NULL AS passed, 'warn' AS severity,
    'What was found.' AS message, since AS failing_since, DATE '2026-10-30' AS checked_on
FROM (VALUES ('status_listed', DATE '2026-10-28'), ('issue_id_present', NULL)) AS made (name, since);

CREATE TABLE scorecard.strategy_changes AS
SELECT
    'key_result' AS kind, 'faster' AS subject, field, old AS old_value, '2' AS new_value, TIMESTAMPTZ '2026-10-20 08:00:00Z' AS seen_at
FROM (VALUES ('target', '1'), ('owner', NULL)) AS made (field, old);

CREATE TABLE scorecard.resource_alignment AS
SELECT
    kr AS kr_id, money::DECIMAL(28, 2) AS budget, 1::DECIMAL(28, 2) AS spent, (1 / money)::DECIMAL(18, 6) AS spent_share
FROM (VALUES ('faster', 3), ('steady', NULL)) AS made (kr, money);
