import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from evaluators.evaluation.fidelity import Fidelity
from grammars.reading.toml_files import MAX_FILE_BYTES
from search.settings import Settings, SettingsError, load_settings, read_campaign_file
from search.settings.reading import campaign_name, settings_from
from search.settings.tracking import TrackingSettings
from search.settings.whole import LONGEST_NAME
from search.tracking import Destination

CAMPAIGNS = sorted((Path(__file__).parents[2] / "runs" / "campaigns").glob("*.toml"))


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_shipped_campaigns_are_valid(path: Path) -> None:
    assert load_settings(path).name == path.stem


def test_an_empty_file_is_a_campaign_of_defaults_named_after_it(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "", "my-search.toml"))
    assert settings.name == "my-search"
    assert settings.task == "mnist-mlp"
    assert settings.fallback_dataset is None


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", ".hidden", "a/b", "", "evil\\n"])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name: a name has at most 80 letters, digits"):
        load_settings(write(tmp_path, f'name = "{name}"'))


@pytest.mark.parametrize("name", ["campaigns", "records", "mlartifacts", "mlflow.db"])
def test_what_a_runs_directory_holds_besides_is_no_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"choose another, got '{name}'"):
        load_settings(write(tmp_path, f'name = "{name}"'))


def test_rungs_become_fidelities_with_common_seeds(tmp_path: Path) -> None:
    text = "[scoring]\nfirst_seed = 7\nrungs = [{steps = 50}, {steps = 200, seeds = 2}]"
    settings = load_settings(write(tmp_path, text))
    assert settings.scoring.fidelities == (Fidelity(50, (7,)), Fidelity(200, (7, 8)))


def test_every_problem_is_reported_at_once_with_its_path(tmp_path: Path) -> None:
    text = """
        sed = 3
        [search]
        populaton = 3
        crossover = 1.5
        [scoring]
        rungs = [{steps = 100}, {steps = 50}]
        [tracking]
        candidate_runs = "some"
    """
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, text))
    message = str(caught.value)
    assert "mine.toml has 5 problems" in message
    assert "sed: unknown setting; did you mean 'seed'?" in message
    assert "search.populaton: unknown setting; did you mean 'population'?" in message
    assert "search.crossover: input should be less than or equal to 1, got 1.5" in message
    assert "scoring: rungs must climb: 50 steps x 1 seeds follows 100 steps x 1 seeds" in message
    assert "tracking.candidate_runs: input should be 'all', 'promoted' or 'none'" in message


def test_types_are_not_bent(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"seed: input should be a valid integer, got '1'"):
        load_settings(write(tmp_path, 'seed = "1"'))
    with pytest.raises(SettingsError, match=r"tracking\.mlflow: input should be a valid boolean"):
        load_settings(write(tmp_path, "[tracking]\nmlflow = 1"))


def test_broken_toml_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"not valid TOML: .*line 2, column \d+"):
        load_settings(write(tmp_path, "seed = 1\ntask = ?"))


@pytest.mark.parametrize("name", ["../elsewhere", "/etc/x", "a/b", "", ".hidden", "a" * 81])
def test_a_name_never_becomes_a_path_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="name: a name has at most 80 letters, digits"):
        load_settings(write(tmp_path, f'name = "{name}"'))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a = " + b"[" * 5000, "nested too deep|not valid TOML"),
        (b"#" * (MAX_FILE_BYTES + 1), "at most 1,000,000 are allowed"),
    ],
)
def test_hostile_files_get_a_clear_refusal(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "hostile.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        load_settings(path)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no campaign file"):
        load_settings(tmp_path / "absent.toml")


def test_overrides_replace_and_add(tmp_path: Path) -> None:
    path = write(tmp_path, "seed = 1\n[search]\npopulation = 8")
    settings = load_settings(
        path, ["seed=7", "search.population=32", "task=digits-mlp", "stop.minutes=0.5"]
    )
    assert (settings.seed, settings.search.population) == (7, 32)
    assert (settings.task, settings.stop.minutes) == ("digits-mlp", 0.5)


def test_overrides_leave_what_they_are_applied_to_alone(tmp_path: Path) -> None:
    def document() -> dict[str, Any]:
        return {"name": "mine", "search": {"population": 8, "require": {"smooth": True}}}

    given = document()
    overrides = ["search.population=16", "search.require.odd=true", "stop.generations=3"]
    assert settings_from(given, overrides).search.population == 16
    assert given == document()
    path = write(tmp_path, "")
    assert load_settings(path, overrides, changes=given).search.population == 16
    assert given == document()


@pytest.mark.parametrize(
    "scoring",
    [
        {"tasks": ["a", "a"]},
        {"tasks": ["a", "b"], "rungs": [{"steps": 10, "tasks": ["a", "a"]}, {"steps": 20}]},
    ],
)
def test_a_task_that_is_named_twice_is_refused(scoring: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="tasks: each must be named once, got a, a"):
        settings_from({"name": "mine", "scoring": scoring})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "expects key=value"),
        ("=3", "expects key=value"),
        ("seed.x=3", "'seed' is a value, not a section"),
        ("search.popluation=3", "did you mean 'population'"),
    ],
)
def test_bad_overrides_are_explained(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(write(tmp_path, "seed = 1"), [override])


def numeric_settings(
    model: type[BaseModel] = Settings, place: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The place of every setting that a number may be given to."""
    for name, field in model.model_fields.items():
        annotations = list(parts_of(field.annotation))
        for section in annotations:
            if isinstance(section, type) and issubclass(section, BaseModel):
                yield from numeric_settings(section, (*place, name))
        if {int, float} & set(annotations):
            yield (*place, name)


def parts_of(annotation: Any) -> Iterator[Any]:
    """An annotation and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from parts_of(part)


def written(place: tuple[str, ...], number: str) -> str:
    """A campaign file in which one setting has the number."""
    *sections, name = place
    head = f"[{'.'.join(sections)}]\n" if sections else ""
    match place:
        case ("scoring", "rungs", key):
            others = "" if key == "steps" else "steps = 100, "
            return f"[scoring]\nrungs = [{{ {others}{key} = {number} }}]"
        case ("finals", "learning_rates"):
            return f"{head}{name} = [{number}]"
        case _:
            return f"{head}{name} = {number}"


NUMERIC = sorted(set(numeric_settings()))
UNBOUNDED = {
    ("search", "migration_interval"),
    *(("stop", name) for name in ("generations", "evaluations", "patience")),
}


def test_every_section_has_numbers_to_test() -> None:
    assert {place[0] for place in NUMERIC} >= {"seed", "search", "scoring", "stop", "finals"}
    assert ("scoring", "rungs", "seeds") in NUMERIC
    assert ("finals", "learning_rates") in NUMERIC


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e300", "-1e300"])
def test_no_setting_takes_a_number_beyond_all_measure(tmp_path: Path, number: str) -> None:
    for place in NUMERIC:
        file = write(tmp_path, written(place, number))
        where = rf"{'.'.join(place[:2])}.*: input should be .*, got {re.escape(number)}"
        with pytest.raises(SettingsError, match=where.replace("1e300", r"1e\+300")):
            load_settings(file)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_longest_integers_are_settings_or_named(tmp_path: Path, number: int) -> None:
    for place in NUMERIC:
        file = write(tmp_path, written(place, str(number)))
        # Those that have no bound of their own.
        if number > 0 and place in UNBOUNDED:
            assert str(number) in load_settings(file).model_dump_json()
            continue
        with pytest.raises(SettingsError, match=rf"{'.'.join(place[:2])}.*: input should be"):
            load_settings(file)


@pytest.mark.parametrize("name", ["ü", "ö", "u", "ü ö", "実験", "a b", "a+b", "a-b", "_a", "-a"])
def test_files_of_different_names_are_different_campaigns(tmp_path: Path, name: str) -> None:
    others = {"ü", "ö", "u", "ü ö", "実験", "a b", "a+b", "a-b", "_a", "-a", "a"} - {name}
    mine = load_settings(write(tmp_path, "", f"{name}.toml")).name
    theirs = [load_settings(write(tmp_path, "", f"{other}.toml")).name for other in others]
    assert mine not in theirs


def test_a_name_that_a_campaign_can_have_is_kept_and_others_stay_recognisable() -> None:
    assert campaign_name("kampagne-2.b") == "kampagne-2.b"
    assert re.fullmatch(r"kampagne-u-[0-9a-f]{6}", campaign_name("kampagne-ü"))
    assert re.fullmatch(r"campaign-[0-9a-f]{6}", campaign_name("実験"))
    assert campaign_name("u\N{COMBINING DIAERESIS}") == campaign_name("ü")
    assert len(campaign_name("a" * 250)) == LONGEST_NAME


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("tracking.mlflow=False", False),
        ("tracking.mlflow= TRUE ", True),
        ("tracking.mlflow=false", False),
        ("stop.minutes=None", None),
        ("stop.minutes=.5", 0.5),
        ("stop.minutes=3.", 3.0),
        ("scoring.forecast=none", None),
        ("grammar=trueish", "trueish"),
    ],
)
def test_overrides_are_read_as_a_shell_or_python_writes_them(
    tmp_path: Path, override: str, value: object
) -> None:
    found: Any = load_settings(write(tmp_path, "[stop]\nminutes = 9.0"), [override])
    for part in override.partition("=")[0].split("."):
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("search.population=None", r"search\.population: input should be .*, got None"),
        ("search.population=true", r"search\.population: input should be .*, got true"),
        ("seed=07", r"seed: input should be a valid integer, got '07'"),
        ("stop.minutes=9,5", r"stop\.minutes: input should be a valid number, got '9,5'"),
    ],
)
def test_overrides_that_mean_nothing_are_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(write(tmp_path, ""), [override])


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("mlflow = False", "TOML writes true and false in lower case"),
        ("mlflow = TRUE", "TOML writes true and false in lower case"),
        ("mlflow = None", "TOML has no word for nothing: leave the setting out"),
        ("mlflow = null", "TOML has no word for nothing: leave the setting out"),
    ],
)
def test_spellings_of_other_languages_are_explained(tmp_path: Path, line: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=f"line 2, column 10.*{hint}"):
        load_settings(write(tmp_path, f"[tracking]\n{line}"))


def test_a_byte_order_mark_and_lines_of_windows_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'\xef\xbb\xbfseed = 3\r\ntask = "digits-mlp"\r\n')
    assert load_settings(path).seed == 3
    assert read_campaign_file(path) == 'seed = 3\ntask = "digits-mlp"\n'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes("\ufeffseed = 3".encode(encoding))
    with pytest.raises(SettingsError, match=f"UTF-{encoding[4:6]}; save it as UTF-8"):
        load_settings(path)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:s%40cret@host/db", "postgresql://me@host/db"),
        ("postgresql://host/db?user=me&password=s%40cret", "postgresql://host/db?user=me"),
        ("postgresql://host/db?PWD=s@cret&sslmode=require", "postgresql://host/db?sslmode=require"),
        ("https://me:s@cret@host/", "https://host/"),
    ],
)
def test_no_password_of_an_address_is_recorded_or_shown(address: str, shown: str) -> None:
    with pytest.raises(ValidationError, match="must not hold a password"):
        TrackingSettings(uri=address)
    destination = Destination(Path("runs"), address)
    assert destination.shown == shown
    told = destination.without_secrets(f"cannot reach {address} (s@cret, s%40cret)")
    assert "cret" not in told


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "[scoring]\nrungs = [100, { steps = 10, sedes = 2 }]",
            [
                "scoring.rungs.0: input should be a table, such as [section] or { key = value }, "
                "got 100",
                "scoring.rungs.1.sedes: unknown setting; did you mean 'seeds'?",
            ],
        ),
        (
            '[search]\nstart_from = "swish"',
            ["search.start_from: input should be a list in brackets, got 'swish'"],
        ),
        (
            'name = "small one"',
            ["name: a name has at most 80 letters, digits, dots, - and _, and begins"],
        ),
        (
            "[search]\nrequire = { bounded = false }",
            ["search.require.bounded: input should be true, got false"],
        ),
        ('[scoring]\naggregate = "sum"', ["scoring.aggregate: input should be 'mean' or 'worst'"]),
    ],
)
def test_problems_are_told_in_the_words_of_the_file(
    text: str, lines: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    told = str(caught.value)
    assert all(line in told for line in lines), told
    assert "tuple" not in told
