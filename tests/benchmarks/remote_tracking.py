"""What a campaign of a thousand candidates costs its tracking server, and how far behind that is.

    python -m tests.benchmarks.remote_tracking [--evaluations 1200] [--rate 10] [--delay-ms 0]

A real `mlflow server` with basic authentication stands behind a proxy that counts requests, and may
delay each. Evaluations arrive at the given rate, simulated, while the mirror follows.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from grammars import load_grammar
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Loop
from search.tracking import Destination, Mirror
from tests.benchmarks.driver import Paced, Waker, launch_record, settings
from tests.search.simulation import BENCH
from tests.search.tracking_servers import PASSWORD, USER, Fault, Proxy, TrackingServer


def measure(folder: Path, proxy: Proxy, *, evaluations: int, rate: float, runs: str) -> None:
    """Runs a campaign in a folder, mirrored through the proxy, and prints what that cost."""
    chosen = settings("genetic")
    campaign_dir = folder / chosen.name
    campaign_dir.mkdir(parents=True)
    executor = Paced(rate, evaluations)
    with Journal(campaign_dir / FILE_NAME) as journal:
        record = {**launch_record(chosen), "campaign_file": "# a simulated campaign"}
        journal.append("campaign", "settings", record)
        mirror = Mirror(
            journal.path,
            destination=Destination(folder, proxy.url, prefix=f"{runs}/"),
            campaign_dir=campaign_dir,
            candidate_runs=runs,  # type: ignore[arg-type]
        )
        loop = Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=BENCH,
            hidden_layers=2,
            journal=journal,
            executor=executor,
            stopping=executor.enough,
            observers=[Waker(mirror)],
        )
        first, executor.begun = len(proxy.requests), time.monotonic()
        mirror.start()
        loop.run()
        behind, ended = mirror.events_behind, time.monotonic()
        status = mirror.close(timeout_seconds=900.0)
        late = time.monotonic() - ended
        candidates = sum(1 for _ in journal.events("candidate"))
    requests = len(proxy.requests) - first
    print(
        f"candidate_runs = {runs!r}: {candidates} candidates, {executor.done} evaluations in "
        f"{ended - executor.begun:.0f} s; {requests} requests, {requests / candidates:.2f} a "
        f"candidate; {behind} events and {late:.1f} s behind at the end ({status})",
        flush=True,
    )


def main() -> None:
    """Reads the options and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=10.0, help="evaluations a second")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="of each request")
    parser.add_argument("--runs", nargs="+", default=["promoted", "all"])
    options = parser.parse_args()
    os.environ.update({"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD})
    with tempfile.TemporaryDirectory() as folder:
        server = TrackingServer(Path(folder))
        try:
            server.start()
            server.add_user()
            with Proxy(server.port).running() as proxy:
                proxy.behaviour = lambda number, path: Fault(seconds=options.delay_ms / 1000.0)
                for runs in options.runs:
                    measure(
                        Path(folder, runs),
                        proxy,
                        evaluations=options.evaluations,
                        rate=options.rate,
                        runs=runs,
                    )
        finally:
            server.kill()


if __name__ == "__main__":
    main()
