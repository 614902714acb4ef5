"""Fetching weights: https only, resumed, checked, renamed into place when all of it is there and right.

A file comes in as NAME.part beside its place, with NAME.part.json saying which address it comes from and which version
of it (the server's ETag). A fetch that was cut off goes on from there, if the hash is known (it then tells in the end
whether the pieces fit) or the server vouches that the file is still the same one (If-Range); else it starts anew.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO

from benchmark.errors import BenchmarkError
from benchmark.store import sha256_of
from benchmark.weights import public
from benchmark.weights.public import FOLDER, REGISTRY, Entry, WeightsFile

BLOCK = 1 << 20
ATTEMPTS = 4  # connections to one address, as long as each brings something
LARGEST = 32 << 30  # bytes; no file without a known size may grow beyond it
# (address, headers) -> a response with status, headers, geturl(), read(n), close()
Opener = Callable[[str, dict[str, str]], Any]


class FetchError(Exception):
    """Why one address did not give the file; the next one is tried."""


class _CutOff(FetchError):
    """The connection ended too early; what came is kept."""


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _refuse_http(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def https_opener(timeout: float = 30.0) -> Opener:
    """Opens https addresses and nothing else; a redirect to anything else is refused. ``timeout`` in seconds."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _HttpsOnly(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        director.add_handler(handler)
    return lambda url, headers: director.open(urllib.request.Request(url, headers=headers), timeout=timeout)


def fetch(
    name: str,
    folder: str | os.PathLike = FOLDER,
    registry_file: str | os.PathLike = REGISTRY,
    opener: Opener | None = None,
    pause: float = 2.0,
) -> list[tuple[Path, bool]]:
    """Bring every file of an entry to its place: (path, whether it was fetched now) for each.

    A file that is there is checked by size and hash and left alone. ``pause``: seconds before a broken connection is
    tried again, growing with each attempt.

    Raises:
        BenchmarkError: unknown entry; a file that is there but wrong; no address gave the file, with what each one said
            and where to put the file by hand; no space left.
    """
    entry = public.lookup(name, registry_file)
    return [_bring(entry, file, folder, opener or https_opener(), pause) for file in entry.files]


def _bring(entry: Entry, file: WeightsFile, folder, opener: Opener, pause: float) -> tuple[Path, bool]:
    path = entry.place(file, folder)
    _check_inside(path, entry.root(folder))
    file = public.with_recorded(entry, file, folder)
    if path.exists() or not file.urls:
        public.verify(entry, file, folder)
        return path, False
    reasons = []
    for url in file.urls:
        try:
            _fetch_from(url, entry, file, folder, path, opener, pause)
            return path, True
        except FetchError as error:
            reasons.append(f"{_host(url)}: {error}")
    raise BenchmarkError(
        f"weights {entry.name}: could not fetch {path.name} ({'; '.join(reasons)}); "
        f"put the file at {path} by hand ({file.expected})"
    )


def _check_inside(path: Path, root: Path) -> None:
    if not path.resolve().is_relative_to(root.resolve()):
        raise BenchmarkError(f"{path}: leads out of {root} through a link; replace the link by a folder")


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") >= 2 else url


# -------------------------------------------------------------------------------------------------------- one address
def _fetch_from(url: str, entry: Entry, file: WeightsFile, folder, path: Path, opener: Opener, pause: float) -> None:
    _refuse_http(url)
    part = path.with_name(f"{path.name}.part")
    with _own(part) as stream:
        _receive_all(url, file, part, stream, opener, pause)
        stream.flush()
        try:
            _check_content(stream, file)
            found = sha256_of(part)
            if file.sha256 is not None and not found.startswith(file.sha256):
                raise FetchError(f"what came has sha256 {found}, expected {file.sha256}")
        except FetchError:
            _forget(part)
            raise
        public.accept(entry, file, part, found, folder)
        os.replace(part, path)
        _forget(part)


def _receive_all(url: str, file: WeightsFile, part: Path, stream: BinaryIO, opener: Opener, pause: float) -> None:
    """Connect until the file is complete, as long as each connection brings something."""
    for attempt in range(1, ATTEMPTS + 1):
        before = stream.seek(0, os.SEEK_END)
        try:
            return _receive(url, file, part, stream, opener)
        except _CutOff as error:
            if attempt == ATTEMPTS or stream.seek(0, os.SEEK_END) <= before:
                raise FetchError(f"{error}; the next fetch goes on from there") from None
            time.sleep(pause * attempt)


def _receive(url: str, file: WeightsFile, part: Path, stream: BinaryIO, opener: Opener) -> None:
    headers = {"User-Agent": "meaningful-diversity-benchmark", "Accept-Encoding": "identity"}
    have = stream.seek(0, os.SEEK_END)
    if have and have == file.size:
        return
    headers |= _resume_headers(url, file, part, have)
    try:
        response = opener(url, headers)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing lies beyond what is here: it is complete or another file; the hash will tell
            return _restart_unless_checkable(file, stream)
        raise FetchError(f"HTTP {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise FetchError(_reason(error)) from None
    try:
        _refuse_http(response.geturl())
        begin, total = _span(response, have if "Range" in headers else 0)
        _check_offer(response, file, total)
        stream.seek(begin)
        stream.truncate()
        _describe(part, url, response.headers.get("ETag"))
        _copy(response, stream, file, begin, total)
    finally:
        response.close()


def _resume_headers(url: str, file: WeightsFile, part: Path, have: int) -> dict[str, str]:
    if not have:
        return {}
    try:
        origin = json.loads(_sidecar(part).read_text())
    except (OSError, ValueError):
        origin = {}
    tag = origin.get("etag") if isinstance(origin, dict) and origin.get("url") == url else None
    if isinstance(tag, str) and tag.startswith('"'):
        return {"Range": f"bytes={have}-", "If-Range": tag}
    return {"Range": f"bytes={have}-"} if file.sha256 is not None else {}


def _restart_unless_checkable(file: WeightsFile, stream: BinaryIO) -> None:
    if file.sha256 is None:
        stream.truncate(0)
        raise FetchError("there is no more of this file, and no hash tells whether it is complete; fetch it again")


def _span(response: Any, asked: int) -> tuple[int, int | None]:
    """Where the response's bytes begin and how long the whole file is, if the server says so."""
    length = response.headers.get("Content-Length")
    if response.status == 206:
        unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
        span, _, total = rest.partition("/")
        if unit != "bytes" or span.split("-")[0] != str(asked):
            raise FetchError("the server answered with another part of the file than the one asked for")
        return asked, int(total) if total.isdigit() else None
    if response.status != 200:
        raise FetchError(f"HTTP {response.status}")
    return 0, int(length) if length and length.isdigit() else None


def _check_offer(response: Any, file: WeightsFile, total: int | None) -> None:
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise FetchError("answered with a web page (HTML), not the file")
    if None not in (total, file.size) and total != file.size:
        raise FetchError(f"offers {total:,} bytes, expected {file.size:,}")


def _copy(response: Any, stream: BinaryIO, file: WeightsFile, begin: int, total: int | None) -> None:
    size = file.size or total
    free = shutil.disk_usage(os.path.dirname(stream.name)).free
    if size is not None and size - begin > free:
        raise BenchmarkError(f"{stream.name}: needs {size - begin:,} bytes more, {free:,} are free on that disk")
    received = begin
    with _progress(stream.name, size, begin) as advance:
        while True:
            try:
                block = response.read(BLOCK)
            except (OSError, HTTPException) as error:
                partial = getattr(error, "partial", b"")
                stream.write(partial)
                raise _CutOff(f"cut off after {received + len(partial):,} bytes ({_reason(error)})") from None
            if not block:
                break
            if received == 0:
                _refuse_page(block, file)
            received += len(block)
            if received > (size or LARGEST):
                stream.truncate(0)
                raise FetchError(f"sends more than the {size or LARGEST:,} bytes that were expected")
            stream.write(block)
            advance(len(block))
    if size is not None and received < size:
        raise _CutOff(f"cut off after {received:,} of {size:,} bytes")


def _check_content(stream: BinaryIO, file: WeightsFile) -> None:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    _refuse_page(stream.read(512), file)
    if size == 0:
        raise FetchError("sent nothing")
    if file.size is not None and size != file.size:
        raise FetchError(f"sent {size:,} bytes, expected {file.size:,}")


def _refuse_page(head: bytes, file: WeightsFile) -> None:
    """What servers send instead of a file: pages, XML and JSON errors, Git LFS pointers."""
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<error")):
        raise FetchError("sent an error page under the file's name")
    if start.startswith(b"version https://git-lfs"):
        raise FetchError("sent a Git LFS pointer, not the file")
    if start.startswith(b"{") and not file.path.endswith(".json"):
        raise FetchError("sent an error message (JSON) under the file's name")


def _refuse_http(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise FetchError(f"leads to {url.split('?')[0]}, which is not https; refused")


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return " ".join(str(reason).split()) or type(error).__name__


# ------------------------------------------------------------------------------------------------------- the .part file
@contextmanager
def _own(part: Path) -> Iterator[BinaryIO]:
    """The .part file, open for reading and writing, held by this process alone."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        stream = open(part, "r+b", opener=_create)  # noqa: SIM115
    except OSError as error:
        raise BenchmarkError(f"{part}: cannot be written ({error.strerror})") from None
    with stream:
        _lock(stream)
        try:
            yield stream
        except OSError as error:
            raise BenchmarkError(f"{part}: cannot be written ({error.strerror})") from None
        finally:
            if part.exists() and stream.seek(0, os.SEEK_END) == 0:
                _forget(part)


def _create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o644)


def _lock(stream: BinaryIO) -> None:
    try:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BenchmarkError(f"{stream.name}: another process is fetching this file; wait for it") from None
    except (ImportError, OSError):
        return  # this system or file system has no such locks


def _sidecar(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _describe(part: Path, url: str, etag: str | None) -> None:
    _sidecar(part).write_text(json.dumps({"url": url, "etag": etag}))


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _sidecar(part).unlink(missing_ok=True)


@contextmanager
def _progress(name: str, total: int | None, begin: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal, nothing elsewhere."""
    from tqdm import tqdm

    label = os.path.basename(name).removesuffix(".part")
    with tqdm(total=total, initial=begin, desc=label, unit="B", unit_scale=True, disable=None) as bar:
        yield bar.update
