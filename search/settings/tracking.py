"""The section `[tracking]`: what is mirrored to MLflow."""

from __future__ import annotations

from typing import Literal

from search.settings.section import Section


class TrackingSettings(Section):
    """What is mirrored to MLflow.

    Attributes:
        mlflow: Whether anything is.
        candidate_runs: Which candidates get a run of their own: all, those promoted beyond the
            first rung, or none. Every candidate is in the campaign's table in any case.
    """

    mlflow: bool = True
    candidate_runs: Literal["all", "promoted", "none"] = "promoted"
