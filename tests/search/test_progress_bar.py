"""The bar that scripts and notebooks show."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from search.loop.progress_bar import ProgressBar, is_watched


def summary(number: int, score: float | None) -> Any:
    return SimpleNamespace(generation=number, best_score=score)


def test_a_bar_counts_generations_that_are_new_and_then_training_runs_of_finals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with ProgressBar("mine", generations=4, done=2) as bar:
        assert "mine:  50%" in said.getvalue(), "what was done before counts"
        bar.on_generation(summary(0, None))
        bar.on_generation(summary(1, 2.0))  # read again, not done again
        assert bar._bar.n == 2
        bar.on_progress(0, 3, 8)
        assert bar._bar.postfix == "rung 1: 3/8, best 2.0000"
        bar.on_generation(summary(2, 2.5))
        assert (bar._bar.n, bar._bar.total) == (3, 4)
        bar.on_best(SimpleNamespace(evaluation=SimpleNamespace(score=2.75)))  # type: ignore[arg-type]
        bar.on_generation(summary(3, None))
        bar.on_finals("digits", 1, 20)
        bar.on_finals("digits", 5, 20)
        assert (bar._bar.n, bar._bar.total) == (5, 20)
        bar.on_finals("mnist", 1, 20)
    said_lines = said.getvalue().replace("\r", "\n")
    assert "mine: 100%" in said_lines
    assert "mine: finals on digits:  25%" in said_lines
    assert "mine: finals on mnist:   5%" in said_lines


def test_it_is_shown_where_somebody_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not is_watched()
    shell = type("ZMQInteractiveShell", (), {})()
    notebook = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", notebook)  # type: ignore[arg-type]
    assert is_watched()
