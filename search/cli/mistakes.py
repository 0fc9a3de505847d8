"""Which errors are a user's, to be explained without a traceback."""

from __future__ import annotations

import errno
from typing import Final

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHOWN: Final = 120


def explain(error: Exception) -> str | None:
    """What the user can change, in words; None if the error is ours."""
    if isinstance(error, OSError) and (words := _of_the_system(error)) is not None:
        return words
    return str(error) if _is_mistake(error) else None


def _of_the_system(error: OSError) -> str | None:
    """What the system says of a file in our words; None where it speaks of no file."""
    name = str(error.filename or "")
    name = name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…"
    if error.errno in _NO_ROOM:
        return (
            f"{name or 'a file'} cannot be written: {error.strerror}; what a campaign has recorded "
            "is safe: make room and launch it again"
        )
    if error.errno == errno.EROFS:
        return (
            f"{name or 'a file'} cannot be written: {error.strerror}; what only reads works there, "
            "such as leaderboard, export, report --output DIR and record --records-dir DIR; for "
            "the rest copy the campaign's folder to where it may be written"
        )
    # Python's own text begins with a number.
    return f"{name} cannot be used: {error.strerror}" if name and error.strerror else None


def _is_mistake(error: Exception) -> bool:
    """Whether the error says what the user can change; its message is then written for people."""
    from evaluators.datasets import DataError, DatasetUnavailable, UnknownDatasetError
    from evaluators.forecasting.learning_curves import LearningCurvesError
    from evaluators.reading.file_locks import LocksUnsupportedError
    from evaluators.reading.functions import UserCodeError
    from evaluators.tasks import TaskError
    from grammars import GrammarError, LayersError, ParseError
    from grammars.export import ExportError
    from search.drawing import PictureError
    from search.executors import WorkersUnusableError
    from search.finals import FinalsError
    from search.journal.journal import JournalError
    from search.launching.open_campaign import CampaignBusyError
    from search.library.records import RecordError
    from search.settings import SettingsError
    from search.standings.atlas import AtlasError
    from search.standings.leaderboard import CampaignNotFoundError, CandidateNotFoundError
    from search.tracking import TrackingError

    mistakes = (
        LocksUnsupportedError,
        AtlasError,
        CampaignBusyError,
        CampaignNotFoundError,
        CandidateNotFoundError,
        DataError,
        DatasetUnavailable,
        ExportError,
        FinalsError,
        GrammarError,
        JournalError,
        LayersError,
        LearningCurvesError,
        ParseError,
        PictureError,
        RecordError,
        SettingsError,
        TaskError,
        TrackingError,
        UnknownDatasetError,
        UserCodeError,
        WorkersUnusableError,
        FileExistsError,
        FileNotFoundError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    )
    return isinstance(error, mistakes)
