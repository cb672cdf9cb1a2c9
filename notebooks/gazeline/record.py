"""What was pulled into a folder, kept beside it in `.gazeline/`: a line of JSON for each file, the last one counts."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from gazeline.errors import GazelineError
from gazeline.names import own_folder


@dataclass(frozen=True)
class Kept:
    """A file as it was when it had come, and what it is in the bucket."""

    path: str
    bucket: str
    name: str
    generation: str
    size: int
    mtime_ns: int
    md5: str | None
    crc32c: str

    def is_as_it_was(self, stat: os.stat_result) -> bool:
        return stat.st_size == self.size and stat.st_mtime_ns == self.mtime_ns


class Record:
    """Open for one pull at a time. Lines are only added, so that what had come is known after a kernel has died."""

    def __init__(self, folder: Path):
        self.folder = folder
        own = folder / own_folder
        own.mkdir(parents=True, exist_ok=True)
        # Git and others are to leave it alone.
        (own / ".gitignore").write_text("*\n")
        self._lock = _lock(own / "lock", folder)
        self._path = own / "pulled.jsonl"
        self.files: dict[str, Kept] = {}
        lines = self._read()
        if lines > 2 * len(self.files) + 100:
            self._write_anew()
        # A death may have left half a line.
        self._file = open(self._path, "a", encoding="utf-8", newline="\n")
        if self._file.tell() > 0:
            self._file.write("\n")

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._lock.close()

    def add(self, kept: Kept) -> None:
        self.files[kept.path] = kept
        self._file.write(json.dumps(asdict(kept), ensure_ascii=False) + "\n")

    def flush(self) -> None:
        self._file.flush()

    def _read(self) -> int:
        lines = 0
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                for line in file:
                    lines += 1
                    try:
                        kept = Kept(**json.loads(line))
                    except (ValueError, TypeError):
                        continue
                    self.files[kept.path] = kept
        except FileNotFoundError:
            pass
        return lines

    def _write_anew(self) -> None:
        new = self._path.with_suffix(".new")
        with open(new, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(asdict(kept), ensure_ascii=False) + "\n" for kept in self.files.values())
        os.replace(new, self._path)


def _lock(path: Path, folder: Path) -> IO[bytes]:
    """Held by this process until it ends, however it does."""
    file = open(path, "a+b")
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        raise GazelineError(
            f"Another notebook is pulling into {folder} at the moment. Wait for it, or pull into another folder."
        ) from None
    except OSError:
        # A file system without locks, as that of a mounted Drive.
        pass
    return file
