"""Runs commands where a folder may really not be written, by root or by anybody."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Mounted for the command alone, in a view of the file system that ends with it.
_MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" "$0" && exec "$@"'


@contextmanager
def read_only(folder: Path) -> Iterator[list[str]]:
    """Yields the words to put before a command for which nothing under the folder may change."""
    if os.geteuid() != 0:
        modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
        for path, mode in modes.items():
            path.chmod(mode & 0o555)
        yield []
        for path, mode in modes.items():
            path.chmod(mode)
        return
    words = ["unshare", "--mount", "sh", "-c", _MOUNT, str(folder)]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("root may write everywhere, and mounting is not permitted here")
    yield words
