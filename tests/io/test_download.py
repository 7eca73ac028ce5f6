"""Downloads from a server in this process: whole, checked, gone on with, and never where they are forbidden."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import gdown
import pytest
import torch

from reidar_plugin.io import download as module
from reidar_plugin.io.download import DownloadError, allow, download, no_network

CONTENT = bytes(range(256)) * 5000
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(HTTPServer):
    """Serves CONTENT; ``most`` bytes of it, then it hangs up; notes from which byte on it was asked."""

    most, ranges, sends, status = len(CONTENT), True, CONTENT, 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file.pth"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        content, first = self.server.sends, int(asked[6:-1]) if asked and self.server.ranges else 0
        if self.server.status != 200:
            self.send_response(self.server.status)
            self.send_header("Location", "http://example.invalid/file")
            self.end_headers()
            return
        if first >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(content) - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[first:][: self.server.most])

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in module.OFFLINE:
        monkeypatch.delenv(name, raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_whole_and_only_once(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cache" / "file.pth"
    for _ in range(2):
        download(server.url, path, SUM[:8])
    assert path.read_bytes() == CONTENT
    assert [each.name for each in path.parent.iterdir()] == ["file.pth"]
    assert server.asked == [None]
    assert capsys.readouterr().out == ""


def test_goes_on_where_the_connection_ended(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    server.most = 10**6
    with pytest.raises(DownloadError, match=r"ended after 1,000,000 of 1,280,000 bytes; start again"):
        download(server.url, path, SUM)
    assert not path.exists()
    download(server.url, path, SUM)
    assert server.asked == [None, "bytes=1000000-"]
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "left", [CONTENT, CONTENT + b"more", b"other"], ids=["all", "too much", "another file"]
)
def test_what_was_left_is_checked(server: Server, tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "file.pth"
    (tmp_path / ".file.pth.part").write_bytes(left)
    if left == b"other":
        with pytest.raises(DownloadError, match=f"expected {SUM}"):
            download(server.url, path, SUM)
    download(server.url, path, SUM)
    assert path.read_bytes() == CONTENT


def test_a_server_that_knows_no_parts(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".file.pth.part").write_bytes(CONTENT[:500])
    server.ranges = False
    download(server.url, tmp_path / "file.pth", SUM)
    assert (tmp_path / "file.pth").read_bytes() == CONTENT


def test_without_a_sum_it_starts_anew_and_says_the_sum(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".file.pth.part").write_bytes(b"of yesterday")
    download(server.url, tmp_path / "file.pth")
    assert server.asked == [None]
    assert (tmp_path / "file.pth").read_bytes() == CONTENT
    assert f"has 1,280,000 bytes and the SHA-256 {SUM}; nobody publishes a sum" in capsys.readouterr().out


def test_another_size_is_refused_before_it_comes(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    for left in (b"", CONTENT[:500]):  # the part that is missing counts as well
        (tmp_path / ".file.pth.part").write_bytes(left)
        with pytest.raises(DownloadError, match=r"the server has 1,280,000 bytes for it, expected 1,280,001"):
            download(server.url, path, SUM, len(CONTENT) + 1)
        assert (tmp_path / ".file.pth.part").read_bytes() == left
    download(server.url, path, SUM, len(CONTENT))
    assert path.read_bytes() == CONTENT


def test_something_else_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.sends = b"<html>"
    with pytest.raises(DownloadError, match=f"has the SHA-256 .*, expected {SUM}"):
        download(server.url, tmp_path / "file.pth", SUM)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("status", [404, 503])
def test_a_refusal_is_one_line(server: Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=f"file.pth: HTTPError: HTTP Error {status}") as caught:
        download(server.url, tmp_path / "file.pth", SUM)
    assert "\n" not in str(caught.value)


def test_only_https(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="expected an address with https://"):
        download("http://example.invalid/file.pth", tmp_path / "file.pth", SUM)


@pytest.mark.parametrize("name", module.OFFLINE)
def test_the_environment_forbids_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(DownloadError, match=f"{name} is set: nothing is downloaded"):
        download(server.url, tmp_path / "file.pth", SUM)
    assert server.asked == []


def test_the_key_forbids_it(server: Server, tmp_path: Path) -> None:
    allow(False)
    try:
        with pytest.raises(DownloadError, match=r"reidar\.model\.fetch is False"):
            download(server.url, tmp_path / "file.pth", SUM)
        with no_network():
            for fetch in (gdown.download, torch.hub.download_url_to_file):
                with pytest.raises(DownloadError, match=r"reidar\.model\.fetch is False"):
                    fetch(server.url, str(tmp_path / "file.pth"))
    finally:
        allow(True)
    assert server.asked == []
    with no_network():
        torch.hub.download_url_to_file(server.url, str(tmp_path / "file.pth"), progress=False)
    assert server.asked == [None]
