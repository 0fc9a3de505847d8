"""The command with simulated training, in a process of its own: for what becomes of its streams."""

from __future__ import annotations

from unittest import mock

from search.cli.app import main

from .here import SimulatedPool

if __name__ == "__main__":
    with (
        mock.patch("search.executors.starting.ProcessPool", SimulatedPool),
        mock.patch("search.cli.campaigns.report_at_end", return_value=True),
    ):
        main()
