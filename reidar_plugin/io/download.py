"""Files from the network: only over HTTPS, checked, whole or not at all, and gone on with after an interruption."""

import hashlib
import os
import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from reidar_plugin.errors import ReidarError, summary
from reidar_plugin.io.atomic import PART, flush_to_disk
from reidar_plugin.io.console import say
from reidar_plugin.io.ordinary import ordinary

__all__ = [
    "OFFLINE",
    "DownloadError",
    "allow",
    "check_online",
    "digest_of",
    "download",
    "no_network",
    "told_of",
]

#: Environment variables that forbid downloads where they are 1, true, yes or on.
OFFLINE = ("REIDAR_OFFLINE", "HF_HUB_OFFLINE")

_CHUNK = 2**20
_PATIENCE = 30  # seconds without a byte
_LOCAL = re.compile(r"http://(localhost|127\.0\.0\.1)(:\d+)?/")
_allowed = [True]


class DownloadError(ReidarError, OSError):
    """A file that could not be fetched, or must not be."""


def allow(fetch: bool) -> None:
    """Allow downloads in this process, or forbid them: ``reidar.model.fetch``."""
    _allowed[0] = fetch


def check_online() -> None:
    """Raise DownloadError where a key or the environment forbids downloads."""
    if not _allowed[0]:
        raise DownloadError("reidar.model.fetch is False: nothing is downloaded")
    for name in OFFLINE:
        if os.environ.get(name, "").lower() in ("1", "true", "yes", "on"):
            raise DownloadError(f"{name} is set: nothing is downloaded")


@contextmanager
def no_network() -> Iterator[None]:
    """Where downloads are forbidden, let those fail that torchreid begins by itself; what lies in its cache is used."""
    import gdown
    import torch

    def refuse(*_: Any, **__: Any) -> None:
        check_online()

    places: list[tuple[Any, str, Any]] = [
        (gdown, "download", refuse),
        (torch.hub, "download_url_to_file", refuse),
    ]
    if "huggingface_hub.constants" in sys.modules:
        places.append((sys.modules["huggingface_hub.constants"], "HF_HUB_OFFLINE", True))
    kept = [getattr(holder, name) for holder, name, _ in places]
    try:
        check_online()
    except DownloadError:
        for holder, name, value in places:
            setattr(holder, name, value)
    try:
        yield
    finally:
        for (holder, name, _), value in zip(places, kept, strict=True):
            setattr(holder, name, value)


def download(url: str, path: Path, sha256: str = "", size: int = 0) -> None:
    """Fetch a file; where it is there already, nothing is done.

    What has come of it is kept in a hidden file beside ``path``, with which the next call goes on if the checksum is
    known, because nothing else would tell that it is still the same file.

    Args:
        url: begins with ``https://``.
        path: where it goes, when all of it is there and on the disk.
        sha256: its SHA-256 or the beginning of it; empty where nobody publishes it: it is printed then.
        size: its bytes, so that something else is refused before it comes; 0 where nobody publishes them.

    Raises:
        DownloadError: downloads are forbidden, the network or the disk failed, or something else came.
    """
    if path.is_file():
        return
    if not url.startswith("https://") and not _LOCAL.match(url):
        raise DownloadError(f"{url}: expected an address with https://")
    check_online()
    part = path.with_name(f".{path.name}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file, _alone(file):
            if path.is_file():  # another process was faster
                return
            _fill(file, url, bool(sha256), size)
            found = digest_of(part)
            if not found.startswith(sha256.lower()):
                part.unlink()
                raise DownloadError(
                    f"{url}: what came has the SHA-256 {found}, expected {sha256}; fetch it again"
                )
            flush_to_disk(part)
            part.replace(path)
            flush_to_disk(path.parent)
    except ReidarError:
        raise
    except (OSError, HTTPException, ssl.SSLError) as error:
        raise DownloadError(f"{url}: {summary(error)}") from error
    if not sha256:
        say(f"{path} has {told_of(path)}; nobody publishes a sum to compare it with")


def told_of(path: Path) -> str:
    """Size and SHA-256 of a file, in words."""
    return f"{path.stat().st_size:,} bytes and the SHA-256 {digest_of(path)}"


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb", opener=ordinary) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _fill(file: IO[bytes], url: str, resume: bool, size: int) -> None:
    """Write what is still missing of a file."""
    start = file.tell() if resume else 0
    headers = {"User-Agent": "reidar-plugin", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise
        if error.headers.get("Content-Range") == f"bytes */{start}":  # all of it is there
            return
        file.truncate(0)
        return _fill(file, url, False, size)
    with answer:
        expected = answer.headers.get("Content-Length")
        if answer.status != 206 or not str(answer.headers.get("Content-Range")).startswith(f"bytes {start}-"):
            file.truncate(0)
            start = 0
            if answer.status == 206:
                raise DownloadError(f"{url}: the server sent another part than it was asked for")
        if not answer.url.startswith("https://") and not _LOCAL.match(answer.url):
            raise DownloadError(f"{url} leads to {answer.url}: expected an address with https://")
        if size and expected is not None and start + int(expected) != size:
            raise DownloadError(
                f"{url}: the server has {start + int(expected):,} bytes for it, expected {size:,}"
            )
        came = 0
        while chunk := answer.read(_CHUNK):
            came += file.write(chunk)
        file.flush()
    if expected is not None and came != int(expected):
        raise DownloadError(
            f"{url}: the connection ended after {start + came:,} of {start + int(expected):,} bytes; start again"
        )


@contextmanager
def _alone(file: IO[bytes]) -> Iterator[None]:
    """Wait for another process that fetches the same file; its right to the file ends with it."""
    try:
        import fcntl
    except ImportError:  # no POSIX
        yield
        return
    with suppress(
        OSError
    ):  # a file system without locks: the checksum tells whether two came between each other
        fcntl.flock(file, fcntl.LOCK_EX)
    file.seek(0, os.SEEK_END)
    yield
