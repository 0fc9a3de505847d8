from pathlib import Path

import pytest

from evaluators.fidelity import Fidelity
from grammars.toml_files import MAX_FILE_BYTES
from search.settings import SettingsError, load_settings

CAMPAIGNS = sorted((Path(__file__).parents[2] / "runs" / "campaigns").glob("*.toml"))


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_shipped_campaigns_are_valid(path: Path) -> None:
    assert load_settings(path).name == path.stem


def test_an_empty_file_is_a_campaign_of_defaults_named_after_it(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "", "my search.toml"))
    assert settings.name == "my-search"
    assert settings.task == "mnist-mlp"
    assert settings.fallback_dataset is None


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", ".hidden", "a/b", "", "evil\\n"])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name: string should match pattern"):
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
    with pytest.raises(SettingsError, match="name: string should match pattern"):
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
