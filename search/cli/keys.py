"""The key that ends a campaign from its terminal."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_KEYS: Final = (b"q", b"Q")


@contextmanager
def on_q(act: Callable[[], None]) -> Iterator[None]:
    """Meanwhile, q on the terminal acts at once, without Enter; Ctrl-C stays what it is.

    Nothing happens where standard input is no terminal, or belongs to another job of the shell:
    touching it from the background would stop this process.

    Args:
        act: Called once, in a thread of its own.
    """
    if not sys.stdin.isatty() or not _is_ours(terminal := sys.stdin.fileno()):
        yield
        return
    before = termios.tcgetattr(terminal)
    leaving, left = os.pipe()
    watcher = threading.Thread(target=_watch, args=(terminal, leaving, act), daemon=True)
    tty.setcbreak(terminal, termios.TCSADRAIN)
    watcher.start()
    try:
        yield
    finally:
        os.close(left)
        watcher.join()
        os.close(leaving)
        with suppress(termios.error):  # a terminal that was closed needs no restoring
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _watch(terminal: int, leaving: int, act: Callable[[], None]) -> None:
    with suppress(OSError):  # a terminal that was closed has no keys
        _watch_open(terminal, leaving, act)


def _watch_open(terminal: int, leaving: int, act: Callable[[], None]) -> None:
    while True:
        ready, _, _ = select.select([terminal, leaving], [], [])
        if leaving in ready:
            return
        if not _is_ours(terminal):
            # Sent to the background meanwhile: the key is somebody else's.
            ready, _, _ = select.select([leaving], [], [], 1.0)
            if ready:
                return
        elif (key := os.read(terminal, 1)) in _KEYS:
            act()
            return
        elif not key:
            return


def _is_ours(terminal: int) -> bool:
    return os.tcgetpgrp(terminal) == os.getpgrp()
