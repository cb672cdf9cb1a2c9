"""One object on its way to a file."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from gazeline import checksum
from gazeline.names import own_folder
from gazeline.objects import Object

# A large file comes in parts of this size, several at a time.
part_size = 32 << 20


class Wrong(Exception):
    """The bytes that came are not those of the object."""


class Download:
    """Its bytes are gathered in a temporary file beside the final one, which has them all at once, or not at all.

    Of a large file, each part that is there is written down, so that another kernel can go on with it.
    """

    def __init__(self, one: Object, target: Path, folder: Path, before: os.stat_result | None):
        """@param before what is at the target and is to be replaced"""
        self.object = one
        self.target = target
        self.before = before
        self.key = hashlib.sha256(
            json.dumps([one.bucket, one.name, one.generation, part_size, str(target)]).encode()
        ).hexdigest()[:16]
        self.temporary = target.parent / f".gazeline-{self.key}.part"
        self.parts = [(at, min(at + part_size, one.size)) for at in range(0, one.size, part_size)] or [(0, 0)]
        self.is_large = len(self.parts) > 1
        self._marks = folder / own_folder / "parts" / self.key
        self._lock = threading.Lock()
        self._done: dict[int, int] = {}
        self._begin()

    def prepare(self) -> list[tuple[int, int]]:
        """@returns the parts that have to come"""
        if not self.is_large:
            return self.parts
        there = self._read_marks()
        if not there:
            self._marks.parent.mkdir(parents=True, exist_ok=True)
            with open(self.temporary, "wb") as file:
                file.truncate(self.object.size)
            about = {"bucket": self.object.bucket, "name": self.object.name, "temporary": str(self.temporary)}
            self._marks.write_text(json.dumps({**about, "generation": self.object.generation}) + "\n", encoding="utf-8")
        for first, end in self.parts:
            if first in there:
                # It is counted from the disk: that is what will be used.
                if isinstance(self._sum, checksum.Crc32c):
                    with open(self.temporary, "rb") as file:
                        file.seek(first)
                        checksum.read_into(file, end - first, self.counting(first))
                self._done[first] = end
        self._follow()
        return [part for part in self.parts if part[0] not in self._done]

    def bytes_there(self) -> int:
        return sum(end - first for first, end in self._done.items())

    def open_part(self, first: int) -> BinaryIO:
        file = open(self.temporary, "r+b" if self.is_large else "wb", buffering=0)
        file.seek(first)
        return file

    def counting(self, first: int) -> Callable[[bytes], None]:
        """What each piece of a part has to be given to, in order."""
        if isinstance(self._sum, checksum.Crc32c):
            return self._sum.part(first)
        if isinstance(self._sum, checksum.Md5InOrder):
            return _ignore
        return self._sum.update if self._sum else _ignore

    def part_is_there(self, first: int, end: int) -> bool:
        """@returns whether that was the last one"""
        with self._lock:
            self._done[first] = end
            is_last = len(self._done) == len(self.parts)
            if self.is_large and not is_last:
                with open(self._marks, "a", encoding="utf-8") as file:
                    file.write(f"{first}\n")
        self._follow()
        return is_last

    def finish(self) -> os.stat_result:
        """Puts the file into its place. @raises Wrong"""
        if not self._is_right():
            self.forget()
            raise Wrong
        now = lstat(self.target)
        if (now and (now.st_size, now.st_mtime_ns)) != (self.before and (self.before.st_size, self.before.st_mtime_ns)):
            raise FileExistsError("it was changed here while it was pulled")
        stat = os.stat(self.temporary)
        os.replace(self.temporary, self.target)
        if self.is_large:
            self._marks.unlink(missing_ok=True)
        return stat

    def forget(self) -> None:
        """Nothing of it is left; it may begin again."""
        self.temporary.unlink(missing_ok=True)
        if self.is_large:
            self._marks.unlink(missing_ok=True)
        self._begin()

    def _begin(self) -> None:
        self._done = {}
        # A small file is counted as it comes. Parts come in any order, and only sums of CRC32C can be put together.
        if not self.is_large and self.object.md5:
            self._sum = hashlib.md5(usedforsecurity=False)
        elif checksum.Crc32c.is_there():
            self._sum = checksum.Crc32c()
        elif self.object.md5:
            self._sum = checksum.Md5InOrder()
        else:
            # Its size and generation are all that can be compared.
            self._sum = None

    def _follow(self, *, waits: bool = False) -> None:
        if isinstance(self._sum, checksum.Md5InOrder):
            self._sum.go_on(lambda: open(self.temporary, "rb"), self._done, waits=waits)

    def _is_right(self) -> bool:
        if os.stat(self.temporary).st_size != self.object.size:
            return False
        if self._sum is None:
            return True
        if isinstance(self._sum, checksum.Crc32c):
            return self._sum.base64() == self.object.crc32c
        if isinstance(self._sum, checksum.Md5InOrder):
            self._follow(waits=True)
            return self._sum.base64() == self.object.md5
        return checksum.as_base64(self._sum.digest()) == self.object.md5

    def _read_marks(self) -> set[int]:
        lstat_of_temporary = lstat(self.temporary)
        if not lstat_of_temporary or lstat_of_temporary.st_size != self.object.size:
            return set()
        try:
            lines = self._marks.read_text(encoding="utf-8").split("\n")[1:-1]
        except OSError:
            return set()
        firsts = {first for first, _ in self.parts}
        return {int(line) for line in lines if line.isdigit()} & firsts


def _ignore(_: bytes) -> None:
    pass


def lstat(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def forget_old_parts(folder: Path, generations: dict[tuple[str, str], str]) -> None:
    """Removes what was begun of files that are others by now. @param generations by bucket and name"""
    for marks in (folder / own_folder / "parts").glob("*"):
        try:
            about = json.loads(marks.read_text(encoding="utf-8").split("\n", 1)[0])
            generation = generations.get((about["bucket"], about["name"]))
            temporary = Path(about["temporary"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if generation not in (None, about["generation"]) and temporary.name == f".gazeline-{marks.name}.part":
            temporary.unlink(missing_ok=True)
            marks.unlink(missing_ok=True)
