"""What must hold of what is published about the future: forecasts, how good they were, what leads."""

from __future__ import annotations

from expectations.suites import Check, Suite, no_rows, one_of, unique_together

_HORIZONS = ["soon", "end"]


def forecast_suites(configured: list[str]) -> list[Suite]:
    """The suites for forecasts of the key results with these ids."""
    return [
        Suite("scorecard", "forecasts", ("kr_id", "date", "horizon"), _forecasts(configured)),
        Suite("scorecard", "forecast_scores", ("basis", "horizon", "p_from"), _scores()),
        Suite("scorecard", "kr_forecast_scores", ("kr_id", "horizon"), _scores_of_key_results(configured)),
        Suite("scorecard", "leading_indicators", ("kr_id", "indicator_no"), _indicators(configured)),
    ]


def _forecasts(configured: list[str]) -> tuple[Check, ...]:
    return (
        unique_together("forecast", ["kr_id", "date", "horizon"], "Forecasts that are there twice"),
        one_of("kr_id", configured, "Forecasts of key results that nobody configured"),
        one_of("horizon", _HORIZONS, "Forecasts for neither soon nor the end"),
        no_rows("looks_ahead", "for_date IS NULL OR for_date < date", "Forecasts of the past"),
        no_rows(
            "quantiles_ordered",
            "p10 IS NULL OR p50 IS NULL OR p90 IS NULL OR p10 > p50 OR p50 > p90",
            "Forecasts whose quantiles are missing or out of order",
        ),
        no_rows(
            "chance_plausible",
            "p_met IS NULL OR p_met NOT BETWEEN 0 AND 1 OR least(reference_weight, indicator_weight) < 0"
            " OR reference_weight + indicator_weight > 1",
            "Forecasts with a chance or weights outside 0 to 1",
        ),
    )


def _scores_of_key_results(configured: list[str]) -> tuple[Check, ...]:
    return (
        unique_together("horizon", ["kr_id", "horizon"], "Key results whose forecasts are scored twice"),
        one_of("kr_id", configured, "Scores of key results that nobody configured"),
        one_of("horizon", _HORIZONS, "Scores for neither soon nor the end"),
        no_rows(
            "score_plausible",
            "forecasts < 1 OR in_band NOT BETWEEN 0 AND forecasts OR foretold NOT BETWEEN 0 AND 1"
            " OR came_true NOT BETWEEN 0 AND 1 OR brier NOT BETWEEN 0 AND 1",
            "Scores that no forecasts can have",
        ),
    )


def _scores() -> tuple[Check, ...]:
    return (
        unique_together("tenth", ["basis", "horizon", "p_from"], "Tenths that are scored twice"),
        one_of("basis", ["told", "back-test"], "Scores on an unknown basis"),
        no_rows(
            "score_plausible",
            "forecasts < 1 OR in_band NOT BETWEEN 0 AND forecasts OR foretold NOT BETWEEN p_from AND p_to"
            " OR came_true NOT BETWEEN 0 AND 1 OR brier NOT BETWEEN 0 AND 1",
            "Scores that no forecasts can have",
        ),
    )


def _indicators(configured: list[str]) -> tuple[Check, ...]:
    return (
        unique_together("indicator", ["kr_id", "indicator_no"], "Indicators that are there twice"),
        one_of("kr_id", configured, "Indicators of key results that nobody configured"),
        one_of("verdict", ["leads", "coincides", "no evidence"], "Indicators with an unknown verdict"),
        no_rows(
            "verdict_borne_out",
            "(verdict = 'leads') <> coalesce(lead_weeks > 0, false) OR (verdict = 'no evidence') <> (lead_weeks IS NULL)",
            "Indicators whose lead does not bear out their verdict",
        ),
    )
