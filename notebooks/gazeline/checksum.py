"""Checksums of files whose parts come in any order."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import BinaryIO

try:
    import google_crc32c

    # In Python alone it would take minutes for a gigabyte.
    _crc32c = google_crc32c if google_crc32c.implementation == "c" else None
except ImportError:
    _crc32c = None

_block = 256 << 10


class Crc32c:
    """Each part is counted on its own; the sums are put together at the end. Needs google-crc32c."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[int, int]] = {}

    @staticmethod
    def is_there() -> bool:
        return _crc32c is not None

    def part(self, first: int) -> Callable[[bytes], None]:
        """Counts the bytes of the part that begins there."""
        self._parts[first] = (0, 0)

        def update(data: bytes) -> None:
            crc, length = self._parts[first]
            self._parts[first] = (_crc32c.extend(crc, data), length + len(data))

        return update

    def base64(self) -> str:
        whole = 0
        for first in sorted(self._parts):
            crc, length = self._parts[first]
            whole = _times(_zeros(length), whole) ^ crc
        return as_base64(whole.to_bytes(4, "big"))


class Md5InOrder:
    """MD5 has to see the bytes in their order: parts that are there are read back from the file, as far as none is missing."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._lock = threading.Lock()
        self._next = 0

    def go_on(self, open_file: Callable[[], BinaryIO], ends: dict[int, int], *, waits: bool = False) -> None:
        """@param ends of the parts that are there, by where they begin
        @param waits for whoever is at it; else it is left to them
        """
        # Only one at a time; it looks again before it leaves, so that nothing is left behind.
        while self._next in ends and self._lock.acquire(blocking=waits):
            try:
                with open_file() as file:
                    while self._next in ends:
                        file.seek(self._next)
                        end = ends[self._next]
                        read_into(file, end - self._next, self._md5.update)
                        self._next = end
            finally:
                self._lock.release()

    def base64(self) -> str:
        with self._lock:
            return as_base64(self._md5.digest())


def read_into(file: BinaryIO, length: int, update: Callable[[bytes], None]) -> None:
    while length > 0:
        data = file.read(min(_block, length))
        if not data:
            raise OSError("the file has become shorter")
        update(data)
        length -= len(data)


def as_base64(digest: bytes) -> str:
    """As Cloud Storage gives them."""
    return base64.b64encode(digest).decode()


def md5_of(path: str | os.PathLike) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while data := file.read(_block):
            digest.update(data)
    return as_base64(digest.digest())


def crc32c_of(path: str | os.PathLike) -> str | None:
    if _crc32c is None:
        return None
    crc = 0
    with open(path, "rb") as file:
        while data := file.read(_block):
            crc = _crc32c.extend(crc, data)
    return as_base64(crc.to_bytes(4, "big"))


# The sum of two texts one after the other, from the sums of each: the first is moved on by as many zeros as the second is
# long, which is a matrix over bits. As zlib's crc32_combine, with the polynomial of Castagnoli (RFC 3720, B.4).
_Matrix = tuple[int, ...]


def _times(matrix: _Matrix, vector: int) -> int:
    result = 0
    for row in matrix:
        if vector & 1:
            result ^= row
        vector >>= 1
    return result


def _after(one: _Matrix, other: _Matrix) -> _Matrix:
    return tuple(_times(one, row) for row in other)


@lru_cache(maxsize=64)
def _zeros(length: int) -> _Matrix:
    power: _Matrix = (0x82F63B78, *(1 << bit for bit in range(31)))
    for _ in range(3):
        power = _after(power, power)
    matrix: _Matrix = tuple(1 << bit for bit in range(32))
    while length:
        if length & 1:
            matrix = _after(power, matrix)
        power = _after(power, power)
        length >>= 1
    return matrix
