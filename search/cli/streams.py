"""Standard streams that may be closed, or lose their reader, without ending what a command does."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any, Final, TextIO

# Nobody reads any more: the pipe was closed, or there was never a stream.
_UNREAD: Final = (errno.EPIPE, errno.EBADF)
# The same, said of a terminal that was closed; of a file it says that its disk is broken.
_HUNG_UP: Final = (*_UNREAD, errno.EIO)


class LastingStream:
    """A text stream that goes on in silence once nobody reads it.

    What cannot be written for another reason, such as a full disk, is an error where it is a
    command's result, and none where it is a message for people.
    """

    def __init__(self, stream: TextIO, *, result: bool) -> None:
        self._stream, self._result = stream, result
        self._unread = _HUNG_UP if stream.isatty() else _UNREAD

    def write(self, text: str) -> int:
        """Writes, if anybody reads."""
        with self._lasting():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes, if anybody reads."""
        with self._lasting():
            self._stream.flush()

    @contextlib.contextmanager
    def _lasting(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            # The handler of a signal says something while something else is being written.
            if "reentrant" not in str(error):
                raise
        except OSError as error:
            if error.errno in self._unread:
                # What Python still holds, and what other code writes there, goes nowhere too.
                with contextlib.suppress(OSError):
                    _open_nothing(self._stream.fileno())
            elif self._result:
                raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def lasting_streams() -> Iterator[None]:
    """Meanwhile, standard output and standard error are such streams."""
    _open_missing()
    with (
        contextlib.redirect_stdout(LastingStream(sys.stdout, result=True)),
        contextlib.redirect_stderr(LastingStream(sys.stderr, result=False)),
    ):
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()


def _open_missing() -> None:
    """Opens streams that were closed from the start.

    The next file that is opened would take the place of one, and receive what is written there by
    libraries and by the processes that we start.
    """
    for number, mode in enumerate("rww"):
        try:
            os.fstat(number)
        except OSError:
            _open_nothing(number)
            name = ("stdin", "stdout", "stderr")[number]
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  # for good


def _open_nothing(number: int) -> None:
    """Makes a file descriptor one that is written to, and read from, in vain."""
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)
