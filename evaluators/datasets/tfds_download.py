"""Downloads through TFDS that end in time: TFDS alone retries for minutes where no network is."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

_CHILD = "import sys; from evaluators.datasets.tfds_download import child; child(*sys.argv[1:])"


class DownloadError(Exception):
    """The files did not arrive; the message says why."""


def download(
    name: str,
    urls: list[str],
    download_dir: Path,
    *,
    timeout_seconds: float = 60.0,
    reach_seconds: int = 10,
) -> None:
    """Downloads files into TFDS's download cache, from where a builder takes them.

    The work is done in a child process, because neither TFDS's retries nor the system's look-up
    of a host name can be interrupted otherwise. Proxies are taken from the environment, and
    TFDS compares each file with its registered checksum. On a terminal TFDS shows a progress bar.

    Args:
        name: the data set, for TFDS's notes beside the files.
        urls: addresses that TFDS has registered.
        download_dir: TFDS's download cache, as a builder is going to be given it.
        timeout_seconds: the limit of the whole download.
        reach_seconds: the limit for a first sign of life from the host of the first address.

    Raises:
        DownloadError: no network, no answer in time, or files other than the registered ones.
    """
    command = [sys.executable, "-c", _CHILD, name, str(download_dir), str(reach_seconds), *urls]
    host = urlsplit(urls[0]).hostname
    try:
        done = subprocess.run(
            command,
            env=child_environment(),
            stdout=subprocess.PIPE,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadError(
            f"the download from {host} was not complete after {timeout_seconds:.0f} s"
        ) from error
    if done.returncode == -signal.SIGALRM:
        raise DownloadError(f"{host} did not answer within {reach_seconds} s")
    if done.returncode != 0:
        reason = done.stdout.strip() or f"its process ended with status {done.returncode}"
        raise DownloadError(f"the download from {host} failed: {reason}")


def child_environment() -> dict[str, str]:
    """Our environment, with which the child finds this package even where it is not installed."""
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def child(name: str, download_dir: str, reach_seconds: str, *urls: str) -> None:
    """The child's part: downloads, or exits with status 1 and the reason on its stdout."""
    import requests
    import tensorflow_datasets as tfds

    logging.disable(logging.CRITICAL)  # the retries of urllib3, the notes of absl
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # on Ctrl-C the parent does the talking
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        reach(urls[0], seconds=int(reach_seconds))
        tfds.download.DownloadManager(download_dir=download_dir, dataset_name=name).download(
            list(urls)
        )
    except requests.ConnectionError as error:  # its text is a page; its name tells the proxy apart
        give_up(f"it cannot be reached ({type(error).__name__})")
    except Exception as error:  # whatever else requests, TFDS or the disk may raise
        first_line = str(error).partition("\n")[0]
        give_up(f"{type(error).__name__}: {first_line}")


def give_up(reason: str) -> NoReturn:
    """Ends a child process, whose reason the parent reads."""
    sys.stdout.write(reason)
    sys.exit(1)


def reach(url: str, *, seconds: int) -> None:
    """Asks for the head of `url`, through the proxies of the environment.

    The alarm ends the process, because the look-up of a host name heeds no time-out.
    """
    import requests

    signal.alarm(seconds)
    requests.head(url, allow_redirects=True).raise_for_status()
    signal.alarm(0)
