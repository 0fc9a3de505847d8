"""What finals are going to do, written down before the first training run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from evaluators.statistics.comparison import listed
from evaluators.statistics.paired import ENOUGH_SEEDS
from grammars import CATALOGUE, Activation, parse_activation, shortened, title_of

if TYPE_CHECKING:
    from evaluators.tasks import Task

RIVALS: Final = ("relu", "swish", "gelu")
"""Catalogue names of the baselines that every function is compared with."""

TITLES: Final[Mapping[str, str]] = {name: title_of(name) for name in RIVALS}
"""How the rivals are called in sentences."""

FIELDS: Final[Mapping[str, str]] = {
    "catalogue": "the catalogue beside ReLU, Swish and GELU",
    "scaled gelu": "the scaled GELUs c * gelu(b * x)",
}
"""What a rival may be the best of, by how `finals.against` asks for it; plans say it in words."""

_FOUND_BY: Final = re.compile(r"what (?P<campaign>.+) has found")


def field_of(campaign: str) -> str:
    """What a rival is the best of that another campaign has found."""
    return f"what {campaign} has found"


def asked_as(field: str) -> str | None:
    """How `finals.against` asks for what a rival is the best of; None if it is no such words."""
    if found := _FOUND_BY.fullmatch(field):
        return found["campaign"]
    return next((asked for asked, words in FIELDS.items() if words == field), None)


@dataclass(frozen=True)
class Measure:
    """What finals compare functions by on test data.

    Attributes:
        number: Of the protocol, as journals write it.
        setting: As campaign files write it.
        name: Of the figure of one run.
        unit: Of a difference in sentences; a positive one speaks for the function.
        title: Of a difference from a rival, as columns are headed; `{rival}` is its name.
        digits: Of a difference, after the decimal point.
        has_gate: Whether the leader's comparisons come first and all others wait for them.
        counts_choice: Whether p values count that the leader is chosen among the finalists, by
            runs that its comparisons are made of: what a run's luck does to validation and test
            data alike.
        bounds_guess: Whether a run that diverged counts as the worst of its seed, where that is
            worse than a guess.
    """

    number: int
    setting: Literal["accuracy", "log_loss"]
    name: Literal["test accuracy", "log test loss"]
    unit: str
    title: str
    digits: int
    has_gate: bool = False
    counts_choice: bool = False
    bounds_guess: bool = False


_BY_LOSS: Final = Measure(
    2, "log_loss", "log test loss", "in log loss", "log loss below {rival}", 3, has_gate=True
)
# Finals that were planned under a protocol are held, and told, under that one for ever.
PROTOCOLS: Final = (
    Measure(1, "accuracy", "test accuracy", "points", "points above {rival}", 2),
    _BY_LOSS,
    replace(_BY_LOSS, number=3, counts_choice=True),
    replace(_BY_LOSS, number=4, counts_choice=True, bounds_guess=True),
)

Role = Literal["finalist", "baseline"]
Purpose = Literal["own", "transfer", "recipe", "longer", "equal time", "resized"]


@dataclass(frozen=True)
class Entrant:
    """A function that takes part in finals.

    Attributes:
        candidate_id: The expression id.
        expression: In canonical form.
        written: As it was written, and is trained: rounding depends on it.
        name: A baseline's catalogue name, or how a rival beside those was asked for; rivals of
            before have none.
        role: Whether the search chose it, or it is there to be beaten.
        rank: Of a finalist in the search, counted from 1 without the baselines.
    """

    candidate_id: str
    expression: str
    written: str
    name: str | None
    role: Role
    rank: int | None

    @property
    def activation(self) -> Activation:
        """What is trained."""
        return parse_activation(self.written)

    @property
    def shown(self) -> str:
        """The text that people see wherever the function is named."""
        return shortened(self.expression, written=self.written)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.shown if self.name is None else title_of(self.name)

    @property
    def key(self) -> str:
        """Under which comparisons, and metrics, know it: its catalogue name, or its id."""
        name = self.name
        return self.candidate_id if name is None or name not in CATALOGUE else name


@dataclass(frozen=True)
class Stage:
    """One task of the finals.

    Attributes:
        task: Its name, with a learning rate of its own after an "@".
        dataset: Name of the data set, a fallback included.
        classes: Number of its labels.
        learning_rate: Of Adam.
        steps: Optimiser steps of each training run.
        looks: Planned numbers of seeds, ascending.
        checkpoints: Steps at which the validation split is scored; the last are all of them.
        entrants: Ids of those that take part, finalists first.
        purpose: A task that the claim is about, another one, or an own one under another recipe, in
            longer runs, in runs that take equal time, or with a network of another size.
        definition: The task itself as text; None where its name says it, see
            `evaluators.tasks.task_known_by_name`.
        rates: Each entrant's own learning rate, by its id; empty where all have the task's.
        own_steps: Each entrant's own steps, by its id; empty where all have the stage's.
    """

    task: str
    dataset: str
    classes: int
    learning_rate: float
    steps: int
    looks: tuple[int, ...]
    checkpoints: tuple[int, ...]
    entrants: tuple[str, ...]
    purpose: Purpose
    definition: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict, hash=False)
    own_steps: Mapping[str, int] = field(default_factory=dict, hash=False)

    def steps_of(self, candidate_id: str) -> int:
        """An entrant's optimiser steps."""
        return self.own_steps.get(candidate_id, self.steps)

    def rate(self, candidate_id: str) -> float | None:
        """An entrant's own learning rate; None for the task's."""
        return self.rates.get(candidate_id)

    @property
    def trained(self) -> Task:
        """The task itself, with the data that it really uses."""
        from evaluators.datasets import Builtin
        from evaluators.tasks import Task, task_known_by_name

        if self.definition is not None:
            return Task.from_json(self.definition)
        task = task_known_by_name(self.task)
        is_own = task.data.name == self.dataset
        return task if is_own else replace(task, data=Builtin(self.dataset))

    @property
    def title(self) -> str:
        """The task's name, with the data set that took the place of the one that it stands for."""
        from evaluators.tasks import task_title

        return task_title(self.task, self.dataset)


@dataclass(frozen=True)
class Plan:
    """All that decides what finals do, before they do it.

    Attributes:
        number: Of these finals in their campaign, counted from 1.
        entrants: Finalists in the order of the search, then the baselines.
        rivals: Keys of the baselines that everything is compared with.
        stages: The own task first.
        first_seed: Seeds count up from here, the same for all.
        half_width_points: At which intervals on validation data are narrow enough.
        error_rate: Of each stage, over all its comparisons and looks.
        minutes: After which no further seed is begun, None for never.
        tried: What the search had considered: how many functions, by what became of them.
        left_out: Tasks that were asked for and cannot be had, each with the reason.
        register: Whether the leader enters MLflow's model registry.
        protocol: Number of what they are compared by, see `PROTOCOLS`.
        chosen: Rivals that were chosen on validation data, by their keys, each with what it is the
            best of.
        rate_seeds: Training seeds that each function's own learning rates were chosen with; 0 where
            all have the tasks' rates.
        is_by_name: Whether somebody named the finalists, instead of the search's order.
        timeout_seconds: What a seed may take at the most, where another limit was asked for than
            the campaign's own.
        seen: How many other finalists of the campaign had shown their results on test data before
            this was planned.
    """

    number: int
    entrants: tuple[Entrant, ...]
    rivals: tuple[str, ...]
    stages: tuple[Stage, ...]
    first_seed: int
    half_width_points: float
    error_rate: float
    minutes: float | None
    tried: Mapping[str, int]
    left_out: tuple[tuple[str, str], ...] = ()
    register: bool = False
    protocol: int = PROTOCOLS[0].number
    chosen: Mapping[str, str] = field(default_factory=dict, hash=False)
    rate_seeds: int = 0
    is_by_name: bool = False
    timeout_seconds: float | None = None
    seen: int = 0

    @property
    def measure(self) -> Measure:
        """What functions are compared by."""
        return next(each for each in PROTOCOLS if each.number == self.protocol)

    @property
    def choices(self) -> int:
        """Among how many the leader is chosen by runs that its comparisons are made of."""
        return len(self.finalists) + self.seen if self.measure.counts_choice else 1

    @property
    def own(self) -> tuple[Stage, ...]:
        """The stages that the claim is about."""
        return tuple(stage for stage in self.stages if stage.purpose == "own")

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """How rivals are called in sentences, by their keys."""
        return {each.key: each.label for each in self.entrants if each.role == "baseline"}

    def entrant(self, candidate_id: str) -> Entrant:
        """The entrant of that id."""
        return next(entrant for entrant in self.entrants if entrant.candidate_id == candidate_id)

    @property
    def finalists(self) -> tuple[Entrant, ...]:
        """Those of the search, best first."""
        return tuple(entrant for entrant in self.entrants if entrant.role == "finalist")

    @property
    def rule(self) -> str:
        """Who meets whom and how, when it stops, and what is compared, in words."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        looks, error_rate = self.stages[0].looks, 100 * self.error_rate
        rivals = listed([self.titles[rival] for rival in self.rivals])
        for rival, of in self.chosen.items():
            yield f"{self.titles[rival]} is there as the best of {of} on validation data."
        if self.rate_seeds:
            yield (
                "Each function is trained at its own learning rate: of at least five a factor of "
                "two apart the best on validation data, refined by a parabola, with "
                f"{self.rate_seeds} seed{'' if self.rate_seeds == 1 else 's'} of their own."
            )
        if len(self.own) > 1:
            yield (
                f"What is claimed is of the mean over {len(self.own)} tasks, with {looks[-1]} "
                f"seeds. The error rate is {error_rate:g} %."
            )
        else:
            share = f", each analysis at {error_rate / len(looks):g} %" if len(looks) > 1 else ""
            yield (
                f"Interim analyses after {' and '.join(map(str, looks))} seeds, on validation data "
                f"only, end when every interval of a finalist against {rivals} is within "
                f"{self.half_width_points:g} points to either side. The error rate is "
                f"{error_rate:g} %{share}."
            )
        if self.minutes is not None:
            yield (
                f"No further seed is begun after {self.minutes:g} minutes, of which each of these "
                f"tasks has an equal share, and {min(looks[0], ENOUGH_SEEDS)} seeds in any case."
                if len(self.own) > 1
                else f"No further seed is begun after {self.minutes:g} minutes, once there are "
                f"{looks[0]}."
            )
        yield "Test data are opened after the last of them, once for all functions."
        if self.measure.has_gate:
            yield (
                f"Functions are compared by {self.measure.name}, seed by seed: first the finalist "
                "that leads on validation data, Holm's correction over its comparisons alone; the "
                "others are tested once all of these have passed."
            )
        if self.choices > 1:
            of = "finalists, those of earlier finals included" if self.seen else "finalists"
            yield (
                "The same runs have chosen it, so p values of differences in its favour are "
                f"multiplied by the number of {of}, {self.choices}."
            )

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal plan."""
        document = asdict(self)
        for stage in document["stages"]:
            if stage["definition"] is None:
                del stage["definition"]
            for name in ("rates", "own_steps"):
                if not stage[name]:
                    del stage[name]
        if self.protocol == PROTOCOLS[0].number:
            del document["protocol"]
        for name in ("chosen", "rate_seeds", "is_by_name", "timeout_seconds", "seen"):
            if not document[name]:
                del document[name]
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Plan:
        """Restores a plan."""
        return cls(
            **{
                **document,
                "entrants": tuple(Entrant(**entrant) for entrant in document["entrants"]),
                "rivals": tuple(document["rivals"]),
                "stages": tuple(_stage(stage) for stage in document["stages"]),
                "left_out": tuple((task, reason) for task, reason in document["left_out"]),
            }
        )


def _stage(document: Mapping[str, Any]) -> Stage:
    lists = {name: tuple(document[name]) for name in ("looks", "checkpoints", "entrants")}
    return Stage(**{**document, **lists})
