"""The files for clusters parse, and say what this version of the command and of Ray take."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from search.cli.app import app

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "examples" / "cluster"
SLURM = (FOLDER / "slurm.sh").read_text(encoding="utf-8")

# Of sbatch, as its manual lists them.
OPTIONS = {
    *("job-name", "nodes", "ntasks-per-node", "cpus-per-task", "mem-per-cpu", "time", "requeue"),
    *("open-mode", "signal"),
}


def check_command(words: list[str]) -> None:
    """Whether the command line takes these words."""
    assert words[0] == "actsearch"
    verb = typer.main.get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    verb.make_context(words[1], words[2:])  # exits where it does not


def commands_in(text: str) -> list[list[str]]:
    lines = re.findall(r"^(?:entrypoint: )?(actsearch launch [^\n&]*)", text, re.MULTILINE)
    return [shlex.split(line.replace('"', "")) for line in lines]


def test_the_slurm_script_parses() -> None:
    subprocess.run(["bash", "-n", FOLDER / "slurm.sh"], check=True)
    directives = re.findall(r"^#SBATCH --([a-z-]+)", SLURM, re.MULTILINE)
    assert set(directives) == OPTIONS
    last = max(match.end() for match in re.finditer(r"^#SBATCH .*$", SLURM, re.MULTILINE))
    commands = re.search(r"^[^#\n]", SLURM, re.MULTILINE)
    assert commands is not None
    assert last < commands.start(), "Slurm reads no directive beyond the first command"


@pytest.mark.parametrize("name", ["slurm.sh", "kuberay.yaml"])
def test_the_command_takes_what_they_say(name: str) -> None:
    text = re.sub(r"^ +", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    (words,) = commands_in(text)
    check_command(words)


def test_the_kuberay_job_parses_and_has_the_parts_of_one() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    (job,) = yaml.safe_load_all((FOLDER / "kuberay.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups: list[dict[str, Any]] = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        assert isinstance(group["rayStartParams"], dict)
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        mounted = {
            mount["name"]
            for container in pod["containers"]
            for mount in container.get("volumeMounts", [])
        }
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])}
        for container in pod["containers"]:
            assert set(container["resources"]) == {"requests", "limits"}
    (workers,) = cluster["workerGroupSpecs"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    pinned = re.search(r'^ray = \["ray>=([0-9.]+)"\]', (ROOT / "pyproject.toml").read_text(), re.M)
    assert pinned is not None
    assert cluster["rayVersion"].startswith(pinned[1])
