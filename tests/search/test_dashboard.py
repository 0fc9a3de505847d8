"""The dashboard as a process, seen through a real browser; and the verb `sync`."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from search.cli.dashboard import dashboard_command, sync_command
from search.journal.journal import FILE_NAME
from search.report import write_report
from search.standings.leaderboard import CampaignNotFoundError
from search.tracking import Destination, Mirror, Store, TrackingError
from search.tracking.dashboard import Dashboard, PortInUseError, campaign_links

from .requests_made import requested_hosts
from .test_report import add_finals

WriteCampaign = Callable[..., Path]


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_refused_with_the_way_out(runs_dir: Path, used_port: int) -> None:
    with pytest.raises(PortInUseError, match=r"cannot be used .* or --port 0 for any that is free"):
        Dashboard(Destination(runs_dir), port=used_port)
    with pytest.raises(PortInUseError, match=f"port {used_port} of 127.0.0.1 cannot be used"):
        dashboard_command(port=used_port, runs_dir=runs_dir)


def test_a_runs_directory_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no runs directory .*/absent; launch a"):
        dashboard_command(port=0, runs_dir=tmp_path / "absent")


def test_sync_mirrors_a_campaign_by_name_and_by_folder(
    write_campaign: WriteCampaign, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_campaign()
    for campaign in ("demo", str(folder)):
        sync_command(campaign, runs_dir=folder.parent)
        assert capsys.readouterr() == (
            "",
            "MLflow holds all of demo; "
            f"`actsearch dashboard --runs-dir {folder.parent}` shows it\n",
        )
    links = campaign_links(Destination(folder.parent), "http://127.0.0.1:5000")
    assert [place.campaign for place in links] == ["demo"]
    pictures = list(folder.parent.glob("mlartifacts/demo/*/artifacts/pictures/*.png"))
    assert {path.name for path in pictures} == {"best-function.png", "progress.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_sync_of_an_absent_campaign_is_refused(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    with pytest.raises(CampaignNotFoundError, match="did you mean 'demo'"):
        sync_command("demp", runs_dir=folder.parent)


def test_sync_says_what_is_wrong_with_the_store(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    (folder.parent / "mlflow.db").write_text("not a database, and longer than its header is" * 9)
    with pytest.raises(TrackingError, match=r"cannot be written: DatabaseError.*move its mlflow"):
        sync_command("demo", runs_dir=folder.parent)


def test_the_newest_campaign_comes_first(write_campaign: WriteCampaign) -> None:
    for name in ("older", "newer"):
        folder = write_campaign(name)
        Mirror(
            folder / FILE_NAME, destination=Destination(folder.parent), campaign_dir=folder
        ).catch_up()
    links = campaign_links(Destination(folder.parent), "http://127.0.0.1:5000")
    assert [place.campaign for place in links] == ["newer", "older"]
    assert re.fullmatch(
        r"http://127\.0\.0\.1:5000/#/experiments/\d+/runs\?workflowType=machine_learning"
        r"&compareRunsMode=CHART&viewStateShareKey=actsearch",
        links[0].charts,
    )


@dataclass(frozen=True)
class RunningDashboard:
    process: subprocess.Popen[str]
    runs_dir: Path
    charts: str
    candidates: str
    comparison: str
    finals: str


@pytest.fixture(scope="module")
def dashboard(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, write_campaign_in: WriteCampaign
) -> Iterator[RunningDashboard]:
    """The command as a process of its own, as a shell starts it; once, for its start takes long."""
    runs_dir = tmp_path_factory.mktemp("shown")
    shutil.copy(empty_store, runs_dir)
    folder = add_finals(write_campaign_in(runs_dir))
    write_report(folder)
    mirror = Mirror(
        folder / FILE_NAME,
        destination=Destination(runs_dir),
        campaign_dir=folder,
        candidate_runs="all",
    )
    mirror.catch_up()
    program = (
        # Where the tests run in the background of a shell, Ctrl-C is ignored from the start.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import typer; from search.cli.dashboard import dashboard_command as d; typer.run(d)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--port", "0", "--runs-dir", str(runs_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        assert lines[0] == "demo\n", process.communicate()
        yield RunningDashboard(process, runs_dir, *(line.split()[1] for line in lines[1:]))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def text_once(browser: Any, condition: Callable[[str], bool], *, seconds: float = 120.0) -> str:
    """The text of the page as soon as it fulfils a condition, which it must in that time."""
    deadline = time.monotonic() + seconds
    while not condition(text := str(browser.execute_script("return document.body.innerText"))):
        assert time.monotonic() < deadline, text
        time.sleep(0.5)
    return text


def processes_of(runs_dir: Path) -> list[int]:
    """Ids of the processes that were given this store, by command line or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:  # it has just ended, or is another user's
            continue
        if str(runs_dir).encode() in told:
            found.append(int(folder.name))
    return found


def test_the_dashboard_shows_the_campaign_its_charts_and_its_candidates(
    dashboard: RunningDashboard, browser: Any, tmp_path: Path
) -> None:
    browser.get(dashboard.charts)
    # What is further down is drawn once it is in view.
    charts = ["Best so far beside ReLU, Swish", "The search by generation", "demo (median_score)"]
    text = text_once(browser, lambda text: all(chart in text for chart in charts))
    assert all(chart in text for chart in charts)
    assert "1 matching run" in text
    assert text.index("demo (best_score)") < text.index("The search by generation")
    browser.save_screenshot(str(tmp_path / "charts.png"))

    browser.get(dashboard.candidates)
    order = ["softplus(x) - 0.5", "sin(x) + relu(x)", "cos(x) - x", "x * erf(x)", "3 - x"]
    rows = [f"\n{expression}\n" for expression in order]
    # The rows come after their number.
    text = text_once(browser, lambda text: all(row in text for row in rows))
    assert "9 matching runs" in text
    assert "Sort: fitness" in text
    positions = [text.index(row) for row in rows]
    assert positions == sorted(positions)
    browser.save_screenshot(str(tmp_path / "candidates.png"))

    browser.get(dashboard.comparison)
    charts = ["Parallel Coordinates", "cost vs. fitness", "size vs. fitness"]
    text = text_once(browser, lambda text: all(chart in text for chart in charts))
    assert [chart for chart in charts if chart not in text] == []
    assert complaints(browser) == []
    assert requested_hosts(browser) == {"127.0.0.1"}


def test_a_candidate_s_run_shows_its_curves(dashboard: RunningDashboard, browser: Any) -> None:
    base, _ = dashboard.charts.split("/#/")
    with Store(dashboard.runs_dir) as store:
        experiment = store.client.get_experiment_by_name("demo/candidates").experiment_id
        runs = {run.info.run_name: run for run in store.client.search_runs([experiment])}
    browser.get(f"{base}/#/experiments/{experiment}/runs/{runs['x * erf(x)'].info.run_id}")
    text = text_once(browser, lambda text: "In the catalogue: x_erf" in text)
    assert "Canonical form: x * erf(x)" in text
    drawn = (
        "return [...document.querySelectorAll('img[src*=\"generation-0001.svg\"]')]"
        ".map(i => i.complete && i.naturalWidth / i.naturalHeight)"
    )
    deadline = time.monotonic() + 60.0
    while browser.execute_script(drawn) in ([], [False]) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert browser.execute_script(drawn) == [pytest.approx(392 / 80)]
    # MLflow lists the loss and the accuracy in the order in which they were written.
    assert text.index("validation_loss") < text.index("validation_accuracy") < text.index("size")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"Host": "evil.example"}, 403),
        ("POST", {"Origin": "http://evil.example"}, 403),
    ],
)
def test_pages_from_elsewhere_are_refused(
    dashboard: RunningDashboard, method: str, headers: dict[str, str], status: int
) -> None:
    address = urlsplit(dashboard.charts)
    connection = HTTPConnection("127.0.0.1", address.port or 0, timeout=60.0)
    with closing(connection):
        connection.request(method, "/api/2.0/mlflow/experiments/get?experiment_id=0", None, headers)
        assert connection.getresponse().status == status


def test_the_dashboard_shows_the_finals_and_the_report(
    dashboard: RunningDashboard, browser: Any, tmp_path: Path
) -> None:
    browser.get(dashboard.finals)
    order = ["cos(x) - x", "GELU", "softplus(x) - 0.5", "Swish", "ReLU", "tanh"]
    rows = [f"\ndigits-mlp: {function}\n" for function in order]
    text = text_once(browser, lambda text: all(row in text for row in rows))
    assert "6 matching runs" in text  # those on the campaign's own task
    assert "Sort: mean_percent" in text
    positions = [text.index(row) for row in rows]
    assert positions == sorted(positions)
    browser.save_screenshot(str(tmp_path / "finals.png"))

    browser.get(report_link(dashboard))
    text_once(browser, lambda text: "report/index.html" in text)
    browser.implicitly_wait(60.0)  # the page names the report before it has fetched it
    browser.switch_to.frame(browser.find_element("css selector", "iframe"))
    title = browser.find_element("css selector", "h1").text
    assert title == "Better than ReLU, Swish and GELU"
    drawn = "return [...document.querySelectorAll('figure svg')].every(s => s.clientWidth > 0)"
    assert browser.execute_script(drawn)
    browser.switch_to.default_content()
    browser.save_screenshot(str(tmp_path / "report.png"))
    assert complaints(browser) == []
    assert requested_hosts(browser) == {"127.0.0.1"}


def report_link(dashboard: RunningDashboard) -> str:
    """Where the UI shows the report among the artifacts of the campaign's run."""
    base, _ = dashboard.charts.split("/#/")
    with Store(dashboard.runs_dir) as store:
        experiment = store.client.get_experiment_by_name("demo").experiment_id
        (run,) = store.client.search_runs([experiment])
    place = f"{base}/#/experiments/{experiment}/runs/{run.info.run_id}/artifacts"
    return f"{place}/report/index.html"


# What MLflow's own pages bring about: they ask for a user where there is none, and lay out tables
# in two steps.
OF_MLFLOW = ("/mlflow/users/current", "ResizeObserver loop completed")


def complaints(browser: Any) -> list[str]:
    """What the browser complains of on our account."""
    told = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [message for message in told if not any(known in message for known in OF_MLFLOW)]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_ctrl_c_ends_the_dashboard_and_its_server(dashboard: RunningDashboard) -> None:
    # The last test of this module: it ends the process that the others share.
    assert len(processes_of(dashboard.runs_dir)) >= 2
    dashboard.process.send_signal(signal.SIGINT)
    assert dashboard.process.wait(30) == 130
    assert processes_of(dashboard.runs_dir) == []
