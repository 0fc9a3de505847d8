"""Processes that are started from modules of ours, and never import the script that asked for them.

`multiprocessing` lets a child import its parent's main module, so that every script needs a guard
below `if __name__ == "__main__":`. Workers get text and give records: they need nothing from there.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import context, forkserver, popen_forkserver, reduction, spawn, util
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from search.executors.executor import WorkersUnusableError

# The server imports JAX once; a worker forked from it starts in a quarter of a second.
_PRELOADED: Final = ("evaluators.training.program", "search.executors.worker")
_MAIN_MODULE: Final = ("init_main_from_name", "init_main_from_path")
_SAFE_PATH: Final = "PYTHONSAFEPATH"

# The system allows 107 bytes for a socket's name. multiprocessing appends two random names to the
# temporary folder, of 32 bytes together.
_LONGEST_FOLDER: Final = 107 - len("/pymp-12345678/listener-12345678")
_SHORT_FOLDERS: Final = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))

# A server of our own: one that the calling program has started may have imported anything.
_server: Final = forkserver.ForkServer()
_starting: Final = threading.Lock()


class _Popen(popen_forkserver.Popen):
    """Starts a process as `multiprocessing` does, but for the main module and the server."""

    _fds: list[int]

    def _launch(self, process_obj: BaseProcess) -> None:
        preparation = spawn.get_preparation_data(process_obj.name)
        for key in _MAIN_MODULE:
            preparation.pop(key, None)
        buffer = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(preparation, buffer)
            reduction.dump(process_obj, buffer)
        finally:
            context.set_spawning_popen(None)
        with _starting, _without_the_working_directory(), _short_socket_names():
            _server.set_forkserver_preload(list(_PRELOADED))
            self.sentinel, write_end = _server.connect_to_new_process(self._fds)
        # The child learns from its end of this pipe that its parent has ended.
        kept = os.dup(write_end)
        self.finalizer = util.Finalize(self, _close, (kept, self.sentinel))
        with open(write_end, "wb", closefd=True) as file:
            file.write(buffer.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)


class WorkerProcess(context.ForkServerProcess):
    """A process forked from a server that has imported JAX and our worker, and nothing else."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802
        return _Popen(process_obj)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


@contextmanager
def _without_the_working_directory() -> Iterator[None]:
    """Lets a starting server not look for modules there: a `search.py` would be taken for ours."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


@contextmanager
def _short_socket_names() -> Iterator[None]:
    """Lets the server put its socket elsewhere where the temporary folder has too long a name."""
    before = tempfile.tempdir
    tempfile.tempdir = str(socket_folder(Path(tempfile.gettempdir()), others=_SHORT_FOLDERS))
    try:
        util.get_temp_dir()  # remembers its answer, and makes a folder that nobody else may enter
        yield
    finally:
        tempfile.tempdir = before


def socket_folder(usual: Path, *, others: Sequence[Path]) -> Path:
    """A folder that a socket can be made in.

    Args:
        usual: The temporary folder, taken if its name is short enough.
        others: Those to try otherwise.

    Raises:
        WorkersUnusableError: If none of them will do.
    """
    if len(os.fsencode(usual)) <= _LONGEST_FOLDER:
        return usual
    for folder in others:
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise WorkersUnusableError(
        f"workers need a temporary folder whose name has at most {_LONGEST_FOLDER} bytes, and "
        f"{usual} has {len(os.fsencode(usual))}; set TMPDIR to a shorter one"
    )
