"""From here to the derived bucket."""

from __future__ import annotations

import mimetypes
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import urllib3

from gazeline import checksum
from gazeline.api import Api, wait_before
from gazeline.errors import AlreadyThere, GazelineError, NotFound, TransferFailed, some
from gazeline.http import connection_errors, pool_for, request
from gazeline.names import own_folder
from gazeline.objects import Object
from gazeline.progress import files_of, progress_bar, readable

_fruitless = 8
_at_once = 8
# Sessions are asked for by so many: each costs Google a request.
_batch = 100


@dataclass
class Pushed:
    """What is in the bucket now."""

    bucket: str
    names: list[str]
    bytes: int
    transferred: int

    def __repr__(self) -> str:
        where = self.names[0] if len(self.names) == 1 else f"{os.path.commonprefix(self.names)}…"
        return f"{self.bucket}/{where}: {files_of(len(self.names))}, {readable(self.bytes)} ({self.transferred:,} new)"


@dataclass(frozen=True)
class _File:
    path: Path
    name: str
    size: int
    mtime_ns: int
    md5: str


class Pusher:
    def __init__(self, api: Api, *, overwrite: bool, progress: bool):
        self._api = api
        self._overwrite = overwrite
        self._progress = progress
        self._lock = threading.Lock()
        self._sent = 0
        self._stop = threading.Event()
        self._pool: urllib3.PoolManager | None = None

    def push(self, source: Path, destination: str) -> Pushed:
        paths = _files_of(source, destination)
        with ThreadPoolExecutor(_at_once) as threads:
            files = list(threads.map(lambda one: _looked_at(*one), paths.items()))
        generations = self._generations(files, destination if source.is_dir() else files[0].name)
        waiting = [file for file in files if file.name in generations]
        total = sum(file.size for file in waiting)
        with progress_bar(total, files_of(len(waiting)), self._progress) as show:
            for at in range(0, len(waiting), _batch):
                self._send_all(waiting[at : at + _batch], generations, show)
        return Pushed("derived", [file.name for file in files], sum(file.size for file in files), len(waiting))

    def _generations(self, files: list[_File], prefix: str) -> dict[str, str]:
        """Of what has to be sent: the generation that it replaces. @raises AlreadyThere before anything is sent"""
        items = self._api.items("/v1/datasets/derived/objects", prefix=prefix)
        there = {item["name"]: Object.of("derived", item) for item in items}
        generations: dict[str, str] = {}
        others: list[str] = []
        for file in files:
            before = there.get(file.name)
            if before and before.size == file.size and before.md5 == file.md5:
                continue
            generations[file.name] = before.generation if before else "0"
            if before:
                others.append(file.name)
        if others and not self._overwrite:
            raise AlreadyThere(
                f"{len(others):,} files in the derived bucket have these names and other bytes:\n{some(others)}\n"
                "Nothing was sent. Choose another destination, or replace them with overwrite=True."
            )
        return generations

    def _send_all(self, files: list[_File], generations: dict[str, str], show) -> None:
        urls = self._sessions(files, generations)
        failures: dict[str, str] = {}
        errors: list[GazelineError] = []

        def send(file: _File) -> None:
            try:
                self._send(file, urls[file.name], generations)
            except GazelineError as error:
                errors.append(error)
            except (OSError, _Failed) as error:
                failures[file.name] = str(error)

        with ThreadPoolExecutor(_at_once) as threads:
            futures = [threads.submit(send, file) for file in files]
            try:
                while not all(future.done() for future in futures):
                    time.sleep(0.1)
                    show(self._sent)
            except BaseException:
                # A person interrupts the cell.
                self._stop.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        show(self._sent)
        if errors:
            raise errors[0]
        if failures:
            lines = [f"{name}: {why}" for name, why in failures.items()]
            raise TransferFailed(
                f"{len(lines):,} of {len(files):,} files could not be pushed:\n{some(lines)}\n"
                "Push again: what is there already is not sent once more.",
                failures,
            )

    def _sessions(self, files: list[_File], generations: dict[str, str]) -> dict[str, str]:
        objects = [_wanted(file, generations[file.name]) for file in files]
        body = {"action": "write", "bucket": "derived", "objects": objects}
        answer = self._api.post("/v1/signed-urls", body, is_done_again=True)
        return {item["name"]: item["url"] for item in answer["items"]}

    def _send(self, file: _File, url: str, generations: dict[str, str]) -> None:
        at: int | None = 0
        most, fruitless = 0, 0
        while True:
            answer = self._put(file, url, at)
            status = answer.status if answer is not None else 0
            if status in (200, 201):
                return
            if status == 412:
                raise AlreadyThere(f"Somebody else has written {file.name} meanwhile. It was not replaced; push again.")
            if status == 400:
                raise _Failed("the bucket refused it: was the file changed while it was sent?")
            if status == 308:
                at = _received(answer)
                fruitless = 0 if at > most else fruitless + 1
                most = max(at, most)
            elif status in (404, 410):
                # The session has ended; another one begins again.
                url, at, most = self._sessions([file], generations)[file.name], 0, 0
                fruitless += 1
            elif status in (0, 408, 429) or status >= 500:
                # How much of it has come is asked first.
                at = None
                fruitless += 1
            else:
                raise _Failed(f"the bucket answered with {status}")
            if fruitless >= _fruitless:
                raise _Failed("the connection was cut again and again")
            wait = answer.headers.get("retry-after") if answer is not None else None
            if fruitless > 0 and self._stop.wait(wait_before(fruitless, wait)):
                raise _Failed("it was interrupted")

    def _put(self, file: _File, url: str, at: int | None) -> urllib3.BaseHTTPResponse | None:
        """Sends the rest of a file, or asks how much of it has come. @returns None if there was no answer"""
        if self._pool is None:
            with self._lock:
                self._pool = self._pool or pool_for(url, _at_once)
        # https://cloud.google.com/storage/docs/performing-resumable-uploads#status-check
        nothing = at is None or at == file.size
        headers = {"Content-Range": f"bytes */{file.size}" if nothing else f"bytes {at}-{file.size - 1}/{file.size}"}
        if nothing:
            headers["Content-Length"] = "0"
            return self._request(url, headers, b"")
        with open(file.path, "rb") as source:
            stat = os.fstat(source.fileno())
            if (stat.st_size, stat.st_mtime_ns) != (file.size, file.mtime_ns):
                raise _Failed("it was changed while it was sent")
            source.seek(at)
            headers["Content-Length"] = str(file.size - at)
            return self._request(url, headers, _Counted(source, self._count))

    def _request(self, url: str, headers: dict[str, str], body: Any) -> urllib3.BaseHTTPResponse | None:
        try:
            return request(self._pool, "PUT", url, headers=headers, body=body)
        except connection_errors:
            # Its words hold the address, which is as good as a password.
            return None

    def _count(self, data: bytes) -> None:
        with self._lock:
            self._sent += len(data)
        if self._stop.is_set():
            raise _Failed("it was interrupted")


def _received(answer: urllib3.BaseHTTPResponse) -> int:
    match = re.fullmatch(r"bytes=0-(\d+)", answer.headers.get("range", ""))
    return int(match.group(1)) + 1 if match else 0


class _Counted:
    """A file that tells what is read of it."""

    def __init__(self, file: BinaryIO, count):
        self._file = file
        self._count = count

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(1 << 20 if size < 0 else max(size, 1 << 20))
        self._count(data)
        return data


class _Failed(Exception):
    pass


def _files_of(source: Path, destination: str) -> dict[Path, str]:
    if not source.exists():
        raise NotFound(f"There is no {source} here. This is {Path.cwd()}.")
    if source.is_file():
        return {source: f"{destination}{source.name}" if destination.endswith("/") or not destination else destination}
    if destination and not destination.endswith("/"):
        raise NotFound(f"{source} is a folder, so where it goes is one as well: “{destination}/”")
    passed_over = {own_folder, ".ipynb_checkpoints", "__pycache__", ".git"}
    files = {
        path: destination + path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*"))
        if path.is_file() and not passed_over & set(path.relative_to(source).parts)
    }
    if not files:
        raise NotFound(f"There are no files in {source}.")
    return files


def _looked_at(path: Path, name: str) -> _File:
    stat = path.stat()
    return _File(path, name, stat.st_size, stat.st_mtime_ns, checksum.md5_of(path))


def _wanted(file: _File, generation: str) -> dict[str, Any]:
    content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {
        "name": file.name,
        "size": file.size,
        "md5": file.md5,
        "contentType": content_type,
        "ifGenerationMatch": generation,
    }
