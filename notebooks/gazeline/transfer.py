"""Brings the bytes of many objects, some at a time."""

from __future__ import annotations

import errno
import re
import threading
import time
from collections import deque
from collections.abc import Callable

import urllib3

from gazeline.api import wait_before
from gazeline.download import Download, Wrong
from gazeline.errors import DiskFull, GazelineError
from gazeline.http import connection_errors, pool_for, request
from gazeline.objects import Object, SignedUrls

# How often a part is tried without a byte of it coming, and in all: about three minutes.
_fruitless = 8
_tries = 200
# How often a file may come with other bytes than it should have.
_wrong = 3
# One read. Twice as much takes twice the processor: new memory is not in its cache, and has to be emptied first.
_block = 256 << 10

_full = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Transfer:
    """Its threads take part after part, until all are there or somebody stops it."""

    def __init__(self, downloads: list[Download], urls: SignedUrls, on_file: Callable[[Download, object], None]):
        self._urls = urls
        self._on_file = on_file
        # Large files first: at the end, all threads have something to do.
        self._waiting = deque(sorted(downloads, key=lambda one: -one.object.size))
        self._parts: deque[tuple[Download, int, int]] = deque()
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)
        self._preparing = 0
        self._stop = threading.Event()
        self._is_over = threading.Event()
        self._running = 0
        self._all = downloads
        self._wrong: dict[Download, int] = {}
        total = sum(one.object.size for one in downloads)
        # Small files are a matter of how many are asked for at once; for large ones a few connections fill the line.
        most = 4 if total > (1 << 20) * len(downloads) else 24
        self._threads = min(most, sum(len(one.parts) for one in downloads))
        self._pool: urllib3.PoolManager | None = None
        self.received = 0
        # Of what has been replaced in the bucket, and of what failed, with the reason.
        self.replaced: list[Download] = []
        self.failures: dict[str, str] = {}
        self._error: BaseException | None = None

    def run(self, while_waiting: Callable[[int], None]) -> None:
        """@param while_waiting is called some times a second, with how many bytes have come"""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._threads)]
        self._running = len(threads)
        try:
            for thread in threads:
                thread.start()
            while not self._is_over.wait(0.2):
                while_waiting(self.received)
        finally:
            # Also when a person interrupts the cell.
            self._stop.set()
            end = time.monotonic() + 5
            for thread in threads:
                # One may wait for a server that says nothing; it ends by itself, and leaves nothing.
                thread.join(timeout=max(0, end - time.monotonic()))
            if self._pool:
                self._pool.clear()
        while_waiting(self.received)
        if isinstance(self._error, DiskFull):
            # What could not be ended is of no use to anybody now.
            for download in self._all:
                download.forget()
        if self._error:
            raise self._error

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                task = self._next()
                if task is None:
                    return
                self._bring(*task)
        except BaseException as error:
            # A thread that ended without a word would be a file that is missing without one.
            self._error = error
            self._stop.set()
        finally:
            with self._lock:
                self._running -= 1
                if self._running == 0:
                    self._is_over.set()

    def _next(self) -> tuple[Download, int, int] | None:
        with self._ready:
            # What is being prepared will have parts for everybody.
            while not self._parts and not self._waiting and self._preparing and not self._stop.is_set():
                self._ready.wait(1)
            if self._parts:
                return self._parts.popleft()
            if not self._waiting:
                return None
            download = self._waiting.popleft()
            self._preparing += 1
        parts: list[tuple[int, int]] = []
        try:
            parts = download.prepare()
        except OSError as error:
            self._failed(download, error)
            return download, -1, -1
        finally:
            with self._ready:
                self._preparing -= 1
                self.received += download.bytes_there()
                self._parts.extend((download, *part) for part in parts[1:])
                self._ready.notify_all()
        # Another kernel may have had all of it, but for its end.
        return (download, *parts[0]) if parts else (download, download.object.size, download.object.size)

    def _bring(self, download: Download, first: int, end: int) -> None:
        if first < 0 or download.object.name in self.failures or download in self.replaced:
            return
        try:
            with download.open_part(first) as file:
                self._receive(download.object, first, end, file.write, download.counting(first))
            if not download.part_is_there(first, end):
                return
            stat = download.finish()
            self._urls.forget(download.object)
            self._on_file(download, stat)
        except _Stopped:
            self._clear(download)
        except _Replaced:
            with self._lock:
                if download not in self.replaced:
                    self.replaced.append(download)
            download.forget()
        except Wrong:
            self._again(download)
        except (OSError, _Failed, GazelineError) as error:
            self._clear(download)
            self._failed(download, error)

    def _again(self, download: Download) -> None:
        with self._lock:
            self.received -= download.object.size
            self._wrong[download] = self._wrong.get(download, 0) + 1
            if self._wrong[download] < _wrong:
                self._waiting.append(download)
                return
        self._failed(download, _Failed("what comes does not have the checksum that the bucket names"))

    def _failed(self, download: Download, error: Exception) -> None:
        if download in self.replaced:
            # Its other parts have lost their file.
            return
        if isinstance(error, OSError) and error.errno in _full:
            self._error = DiskFull(
                f"The disk is full: {download.object.name} ({download.object.size:,} bytes) has no room in "
                f"{download.target.parent}. Make room, or pull into another folder; what has come whole is kept."
            )
            self._stop.set()
        elif isinstance(error, GazelineError):
            self._error = error
            self._stop.set()
        else:
            self.failures[download.object.name] = str(error) if isinstance(error, _Failed) else _words_of(error)

    def _clear(self, download: Download) -> None:
        # A small file is not gone on with.
        if not download.is_large:
            try:
                download.forget()
            except OSError:
                pass

    def _receive(
        self, one: Object, first: int, end: int, write: Callable[[memoryview], int], count: Callable[[bytes], None]
    ) -> None:
        """Bytes `first` to before `end`, however often the line is cut."""
        at, fruitless = first, 0
        for _ in range(_tries):
            begin = at
            wait: str | None = None
            why = "the connection was cut"
            try:
                if at == end:
                    return
                for data in self._stream(one, at, end):
                    view = memoryview(data)
                    # Unbuffered: a full disk may take only a part of it.
                    while view:
                        view = view[write(view) :]
                    count(data)
                    at += len(data)
                    with self._lock:
                        self.received += len(data)
                    if self._stop.is_set():
                        raise _Stopped
                if at == end:
                    return
            except _NotNow as error:
                why, wait = str(error), error.retry_after
            except _Cut as error:
                why = str(error)
            fruitless = 0 if at > begin else fruitless + 1
            if fruitless >= _fruitless:
                raise _Failed(f"{why}, {fruitless} times in a row")
            if self._stop.wait(wait_before(fruitless, wait)):
                raise _Stopped
        raise _Failed("the connection was cut again and again")

    def _stream(self, one: Object, at: int, end: int):
        url = self._urls.of(one)
        if self._pool is None:
            with self._lock:
                self._pool = self._pool or pool_for(url, self._threads)
        # Without this, what is stored compressed would come unpacked, and be other bytes than the bucket's.
        headers = {"Accept-Encoding": "gzip"}
        is_part = at > 0 or end < one.size
        if is_part:
            headers["Range"] = f"bytes={at}-{end - 1}"
        try:
            answer = request(self._pool, "GET", url, headers=headers, preload_content=False, decode_content=False)
        except connection_errors as error:
            # Its words hold the address.
            raise _Cut(_kind_of(error)) from None
        try:
            self._look_at(answer, one, at, is_part, url)
            left = end - at
            while left > 0:
                try:
                    data = answer.read(min(_block, left), decode_content=False)
                except connection_errors as error:
                    raise _Cut(_kind_of(error)) from None
                if not data:
                    return
                left -= len(data)
                yield data
            if not answer.closed:
                # One read more sees the end of the answer, so that the connection can be used again.
                answer.drain_conn()
        except BaseException:
            answer.close()
            raise
        finally:
            answer.release_conn()

    def _look_at(self, answer: urllib3.HTTPResponse, one: Object, at: int, is_part: bool, url: str) -> None:
        status = answer.status
        if status in (200, 206):
            if answer.headers.get("x-goog-generation", one.generation) != one.generation:
                raise _Replaced
            if is_part and not (answer.headers.get("content-range") or "").startswith(f"bytes {at}-"):
                raise _Cut("the answer is not the part that was asked for")
            return
        if status in (404, 412):
            raise _Replaced
        if status in (408, 429) or status >= 500:
            answer.drain_conn()
            raise _NotNow(f"the bucket answered with {status}", answer.headers.get("retry-after"))
        code = re.search(rb"<Code>(\w{1,60})</Code>", answer.read(10_000))
        reason = code.group(1).decode() if code else str(status)
        if status in (400, 401, 403):
            # Ended, or signed with a key that has just been changed.
            self._urls.renew(one, url)
            raise _NotNow(f"the bucket refused its address ({reason})", None)
        raise _Failed(f"the bucket answered with {status} ({reason})")


class _Stopped(Exception):
    pass


class _Replaced(Exception):
    """This generation is not there any more."""


class _Cut(Exception):
    pass


class _NotNow(Exception):
    def __init__(self, why: str, retry_after: str | None):
        super().__init__(why)
        self.retry_after = retry_after


class _Failed(Exception):
    pass


def _kind_of(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "nothing came for a minute"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "the connection is not a safe one"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "there is no connection"
    return "the connection was cut"


def _words_of(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
