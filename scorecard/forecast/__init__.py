"""Forecasts from a measure's own past, what leads it, and how earlier cycles ended. Everything here works on plain arrays."""

from scorecard.forecast.accumulate import forecast_accumulate
from scorecard.forecast.blending import Outlook, blend, log_density, view_weights
from scorecard.forecast.earlier_paths import reference_class
from scorecard.forecast.indicated import forecast_indicated
from scorecard.forecast.leading import Lead, leading
from scorecard.forecast.level import forecast_level
from scorecard.forecast.observations import Observations
from scorecard.forecast.target_probability import TargetForecast, target_probability

__all__ = [
    "Lead",
    "Observations",
    "Outlook",
    "TargetForecast",
    "blend",
    "forecast_accumulate",
    "forecast_indicated",
    "forecast_level",
    "leading",
    "log_density",
    "reference_class",
    "target_probability",
    "view_weights",
]
