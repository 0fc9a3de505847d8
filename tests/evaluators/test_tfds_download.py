"""Downloads through TFDS: they arrive, are checked, honour proxies, and end in time."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from evaluators.datasets import idx, tfds_images
from evaluators.datasets.tfds_download import DownloadError, download

HOST = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"


class Proxy(BaseHTTPRequestHandler):
    """An HTTP proxy that has the files of one folder, and stalls or alters them when told to."""

    folder: Path
    stalls: frozenset[str] = frozenset()
    suffix = b""
    released: threading.Event

    def do_HEAD(self) -> None:
        if self._stalled("HEAD"):
            return
        self._answer()

    def do_GET(self) -> None:
        if self._stalled("GET"):
            return
        self.wfile.write(self._answer())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: the test's output is for failures."""

    def _stalled(self, method: str) -> bool:
        return method in self.stalls and self.released.wait(60)

    def _answer(self) -> bytes:
        content = (self.folder / self.path.rpartition("/")[2]).read_bytes() + self.suffix
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content


@pytest.fixture
def proxy(raw_data_dir, monkeypatch) -> Iterator[type[Proxy]]:
    """A proxy in the environment of this test; set its attributes before downloading."""
    handler = type("OneTestsProxy", (Proxy,), {"folder": raw_data_dir / "fashion_mnist"})
    handler.released = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}")
    for variable in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    yield handler
    handler.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def urls() -> list[str]:
    return [HOST + file for file in idx.ALL_FILES]


def test_downloaded_files_are_where_a_builder_takes_them_from(proxy, raw_data_dir, tmp_path):
    import tensorflow_datasets as tfds

    download("fashion_mnist", urls(), tmp_path / "downloads")
    proxy.stalls = frozenset({"HEAD", "GET"})  # from here on, nothing comes over the network
    manager = tfds.download.DownloadManager(
        download_dir=tmp_path / "downloads", dataset_name="fashion_mnist"
    )
    with tfds_images.quiet():
        paths = manager.download(urls())
    for path, file in zip(paths, idx.ALL_FILES, strict=True):
        assert Path(path).read_bytes() == (raw_data_dir / "fashion_mnist" / file).read_bytes()


def test_altered_files_are_refused(proxy, tmp_path):
    proxy.suffix = b"one byte too many"
    with pytest.raises(DownloadError, match=r"amazonaws\.com failed: NonMatchingChecksumError"):
        download("fashion_mnist", urls(), tmp_path)


def test_a_download_that_stalls_ends_at_its_deadline(proxy, tmp_path):
    proxy.stalls = frozenset({"GET"})
    with pytest.raises(DownloadError, match="was not complete after 4 s"):
        download("fashion_mnist", urls(), tmp_path, timeout_seconds=4)


def test_a_host_that_does_not_answer_is_given_up_early(proxy, tmp_path):
    proxy.stalls = frozenset({"HEAD"})
    with pytest.raises(DownloadError, match="did not answer within 1 s"):
        download("fashion_mnist", urls(), tmp_path, reach_seconds=1)


def test_downloading_is_quiet_where_there_is_no_terminal(proxy, tmp_path, capfd):
    download("fashion_mnist", urls(), tmp_path)
    assert capfd.readouterr() == ("", "")
