"""A progress bar for scripts and notebooks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from search.candidates.generation import GenerationSummary
    from search.candidates.racing import Standing


def is_watched() -> bool:
    """Whether somebody sees a bar: in a notebook, or where standard error is a terminal."""
    return _in_notebook() or sys.stderr.isatty()


class ProgressBar:
    """An observer that shows how far a campaign is, over its generations and then its finals."""

    def __init__(self, name: str, *, generations: int, done: int = 0) -> None:
        """Shows nothing yet; entering does.

        Args:
            name: Of the campaign.
            generations: To come at most.
            done: Of them, by earlier runs.
        """
        self._name, self._generations, self._done = name, generations, done
        self._bar: Any = None
        self._seen = 0

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """Names the rung that is trained."""
        self._bar.set_postfix_str(f"rung {rung + 1}: {done}/{total}{self._best}", refresh=False)
        self._bar.update(0)

    def on_generation(self, summary: GenerationSummary) -> None:
        """One further; those that a resumed campaign only reads again are no work."""
        if summary.best_score is not None:
            self._best = f", best {summary.best_score:.4f}"
        if summary.generation >= self._done:
            self._bar.update(1)

    def on_best(self, standing: Standing) -> None:
        """Names the score."""
        self._best = f", best {standing.evaluation.score:.4f}"

    def on_finals(self, task: str, done: int, total: int) -> None:
        """A bar of its own over the training runs."""
        if self._bar.desc != (title := f"{self._name}: finals on {task}"):
            self._bar.close()
            self._bar = _new(desc=title, total=total, unit="run")
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> ProgressBar:
        self._best = ""
        self._bar = _new(
            desc=self._name, total=self._generations, initial=self._done, unit="generation"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()


def _new(**options: Any) -> Any:
    from tqdm import tqdm

    if _in_notebook():
        # A widget where ipywidgets are installed; text, which needs nothing, where they are not.
        try:
            import ipywidgets  # noqa: F401
        except ImportError:
            pass
        else:
            from tqdm.notebook import tqdm
    return tqdm(file=sys.stderr, dynamic_ncols=True, **options)


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return type(running).__name__ == "ZMQInteractiveShell"
