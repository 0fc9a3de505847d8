"""The campaign file, validated whole and frozen, with a module for each of its sections."""

from search.settings.finals import FinalsSettings, check_fresh
from search.settings.polish import PolishSettings
from search.settings.reading import (
    checked,
    load_settings,
    overridden,
    read_campaign_file,
    settings_from,
)
from search.settings.require import RequireSettings
from search.settings.scoring import Rung, ScoringSettings
from search.settings.search import SearchSettings, StrategyName
from search.settings.section import SettingsError
from search.settings.stop import StopSettings
from search.settings.tracking import TrackingSettings
from search.settings.watch import WatchSettings
from search.settings.whole import FREE_SETTINGS, Settings

__all__ = [
    "FREE_SETTINGS",
    "FinalsSettings",
    "PolishSettings",
    "RequireSettings",
    "Rung",
    "ScoringSettings",
    "SearchSettings",
    "Settings",
    "SettingsError",
    "StopSettings",
    "StrategyName",
    "TrackingSettings",
    "WatchSettings",
    "check_fresh",
    "checked",
    "load_settings",
    "overridden",
    "read_campaign_file",
    "settings_from",
]
