"""What makes a campaign the one that it is, so that no other goes on in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Final

from evaluators.datasets import Dataset
from evaluators.tasks import (
    Task,
    find_task,
    is_as_known_by_name,
    is_known_by_name,
    is_shipped_name,
    task_known_by_name,
)
from grammars import Expression, Grammar, expression_id
from grammars.analysis.relatives import known_as, relatives
from search.candidates.lesson import Lesson
from search.history import (
    Begun,
    DatasetRecord,
    History,
    LaunchRecord,
    Learnt,
    Relaunched,
    as_recorded,
    find_begun,
    find_lessons,
    read_history,
    write,
)
from search.history.launched import asked_task, launched_task, understood
from search.journal.journal import Journal
from search.launching.lessons import digest_of
from search.settings import FREE_SETTINGS, Settings, SettingsError
from search.strategies.shaped import shape_of
from search.texts.dotted import flatten

_RECORDED_PACKAGES: Final = ("actsearch", "jax", "jaxlib", "optax", "deap", "numpy")


def identify(
    journal: Journal,
    settings: Settings,
    *,
    task: Task,
    grammar: Grammar,
    dataset: Dataset,
    seeds: Sequence[Expression],
    others: Sequence[Task] = (),
    forecast: str | None = None,
    lessons: Callable[[], Sequence[Lesson]] = tuple,
    campaign_file: str,
) -> None:
    """Records what the campaign is; if the journal has a record, compares.

    Args:
        journal: The campaign's.
        settings: The campaign's.
        task: As its file reads now.
        grammar: As its file reads now.
        dataset: That is really used.
        seeds: The functions that `start_from` comes to now; another campaign's hall of fame may
            have changed.
        others: Further tasks that candidates are scored on.
        forecast: What forecasts depend on, if there are any.
        lessons: Reads what it is to learn from earlier campaigns. Of what the journal holds nothing
            is read again.
        campaign_file: Its text.

    Raises:
        SettingsError: If the journal belongs to a campaign that would find other things; the
            message lists what differs.
    """
    now = _begun(settings, (task, *others), grammar, dataset, seeds, forecast, campaign_file)
    history = read_history(journal)
    if history.launch is None:
        learnt = lessons()
        begun = replace(now, lessons=digest_of(learnt))
        write(journal, [begun, *map(Learnt, learnt)])
        return
    now = replace(now, lessons=digest_of(find_lessons(journal)))
    _compare(now, find_begun(journal) or now, journal)
    in_force = settings_in_force(history).model_dump(mode="json")
    if (in_force, history.launch.campaign_file) != (now.settings, campaign_file):
        number = history.relaunches + 2
        write(journal, [Relaunched(number, now.settings, campaign_file)])


def settings_in_force(history: History) -> Settings:
    """The settings of a campaign's last launch.

    Raises:
        SettingsError: If the journal holds no launch, or one of another version of this program.
    """
    return understood(_launch(history).settings)


def recorded_task(history: History) -> Task:
    """What a campaign really trains, a fallback's data included.

    Raises:
        SettingsError: If the journal holds no launch.
    """
    return launched_task(_launch(history))


def task_finder(history: History) -> Callable[[str], Task]:
    """Finds tasks by name for the finals of a campaign, as the campaign understands names.

    Raises:
        SettingsError: If the journal holds no launch.
    """
    held = {
        stage.task: stage.trained for plan in history.finals.plans.values() for stage in plan.stages
    }
    launch = _launch(history)
    own, named = asked_task(launch), launch.settings["task"]
    is_of_old = (
        is_shipped_name(named)
        and is_as_known_by_name(own)
        and not is_as_known_by_name(find_task(named))
    )

    def find(name: str) -> Task:
        if is_shipped_name(name) and name in held:
            return held[name]
        return task_known_by_name(name) if is_of_old and is_known_by_name(name) else find_task(name)

    return find


def _compare(now: Begun, begun: Begun, journal: Journal) -> None:
    """Makes sure that a launch goes on with the campaign that was begun."""
    # Read anew, so that a setting that is younger than the journal has its default there.
    known = understood(begun.settings).model_dump(mode="json")
    before, after = _deciding(replace(begun, settings=known)), _deciding(now)
    differences = [
        f"  {key}: was {before.get(key)!r}, is {after.get(key)!r}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and not _is_more_time(key, before, after)
    ]
    if differences:
        name = now.settings["name"]
        raise SettingsError(
            "\n".join(
                [
                    f"{journal.path.parent} is a campaign with other settings:",
                    *differences,
                    "launch it with its own, or give the new campaign another name "
                    f"(--set name={name}-2)",
                ]
            )
        )


def _is_more_time(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether it is time that candidates get from now on; what was evaluated stays as it is."""
    return key == "settings.scoring.timeout_seconds" and now[key] > before[key]


def _launch(history: History) -> LaunchRecord:
    if history.launch is None:
        raise SettingsError(
            "the journal does not begin with the settings of a campaign; launch it first"
        )
    return history.launch


def _begun(
    settings: Settings,
    tasks: Sequence[Task],
    grammar: Grammar,
    dataset: Dataset,
    seeds: Sequence[Expression],
    forecast: str | None,
    campaign_file: str,
) -> Begun:
    """All that decides what a campaign finds, and some things that don't."""
    shape = shape_of(settings.search)
    wholes = seeds if shape is None else [shape(seed) for seed in seeds]
    begun = Begun(
        settings=settings.model_dump(mode="json"),
        task=tasks[0].to_mapping(),
        grammar=grammar.model_dump(mode="json"),
        seeds=tuple(str(seed) for seed in seeds),
        forecast=forecast,
        dataset=DatasetRecord(dataset.name, dataset.source, dataset.fallback_for),
        versions={package: version(package) for package in _RECORDED_PACKAGES},
        campaign_file=campaign_file,
        further_tasks=tuple(task.to_mapping() for task in tasks[1:]),
        # What is scored: a seed is only what fills a template, where there is one.
        published={
            expression_id(whole): known for whole in wholes if (known := _published_as(whole))
        },
    )
    return as_recorded(begun)


def _published_as(function: Expression) -> str | None:
    """Its name in the catalogue; of a function that only scales a published one, how it does."""
    if names := known_as(function):
        return names[0]
    scaled = (kin for kin in relatives(function) if kin.c == kin.d == 0.0)
    return next((kin.formula for kin in scaled), None)


def _deciding_task(task: Task) -> dict[str, Any]:
    content = {key: part for key, part in task.to_mapping().items() if key != "description"}
    for table, decides in task.decides.items():
        # Of functions of a user's own their content decides, and not where they lie.
        own = {key: value for key, value in decides.items() if isinstance(value, Mapping)}
        content[table] = decides if table == "data" else {**content[table], **own}
    return content


def _deciding(begun: Begun) -> dict[str, Any]:
    """What must not change between launches, flattened to dotted keys."""
    settings = {k: v for k, v in begun.settings.items() if k not in {*FREE_SETTINGS, "task"}}
    tasks = [Task.from_mapping(each, what="a task in the journal") for each in begun.further_tasks]
    parts = {
        "settings": settings,
        "task": _deciding_task(asked_task(begun)),
        **{f"task {task.name}": _deciding_task(task) for task in tasks},
        "grammar": begun.grammar,
        "seeds": list(begun.seeds),
        "forecast": begun.forecast,
        "lessons": begun.lessons,
        "dataset": begun.dataset.name,
        "versions": begun.versions,
    }
    return flatten(parts)
