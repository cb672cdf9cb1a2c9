"""From the names of objects to paths on this disk.

Whoever may write to the study folder chooses the names in the bucket. They are never more than names here: no path leads
out of the folder, and no two objects end up in one file.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_windows_forbidden = re.compile(r'[<>:"\\|?*\x00-\x1f]')
_windows_devices = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)
_posix_forbidden = re.compile(r"[\x00]")

# Of one part of a path, in bytes of UTF-8; what Linux and macOS have. Windows counts UTF-16 units, which are never more.
_longest = 255

# What this module keeps beside the files.
own_folder = ".gazeline"


class FileSystem:
    """What a folder's file system takes for the same name."""

    def __init__(self, folds_case: bool, folds_unicode: bool, is_windows: bool):
        self.folds_case = folds_case
        self.folds_unicode = folds_unicode
        self.is_windows = is_windows

    @classmethod
    def of(cls, folder: Path) -> FileSystem:
        """Tried out: a disk of Windows may be mounted on Linux, and one of Linux on a Mac."""
        probe = folder / own_folder / f"é-probe-{os.getpid()}"
        probe.touch()
        try:
            folds_case = (probe.parent / probe.name.upper()).exists()
            folds_unicode = (probe.parent / unicodedata.normalize("NFD", probe.name)).exists()
        finally:
            probe.unlink()
        return cls(folds_case, folds_unicode, os.name == "nt")

    def key(self, path: str) -> str:
        """The same for two paths that are one file here."""
        if self.folds_case:
            return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
        return unicodedata.normalize("NFC", path) if self.folds_unicode else path


def paths_of(names: list[str], file_system: FileSystem) -> dict[str, str]:
    """The path below the folder for the name of each object.

    A name is its path wherever that can be. A part that cannot be written here has `%` and hexadecimal digits instead; one
    that is too long is cut, and of two names that would be one file, the one that comes later ends in a hash of its name.
    Names that end in `/` stand for empty folders, and have no path.
    """
    plain = {name: _path_of(name, file_system) for name in sorted(names) if not name.endswith("/")}
    folders = {file_system.key(path[:at]) for path in plain.values() for at, char in enumerate(path) if char == "/"}
    paths: dict[str, str] = {}
    taken: set[str] = set()
    # Names that are written as they are come first, so that none of them depends on a stranger one.
    for name in sorted(plain, key=lambda name: (plain[name] != name, name)):
        path = plain[name]
        # A folder of the same name holds others, so it has the name. Somebody may have foreseen the hash.
        while file_system.key(path) in taken or file_system.key(path) in folders:
            path = _with_hash(path, name)
        taken.add(file_system.key(path))
        paths[name] = path
    return paths


def _path_of(name: str, file_system: FileSystem) -> str:
    return "/".join(_part_of(part, at == 0, file_system) for at, part in enumerate(name.split("/")))


def _part_of(part: str, is_first: bool, file_system: FileSystem) -> str:
    if part in ("", ".", ".."):
        return "%2E" * len(part) or "%"
    written = (_windows_forbidden if file_system.is_windows else _posix_forbidden).sub(_percent, part)
    if file_system.is_windows:
        written = re.sub(r"[. ]$", _percent, written)
        if _windows_devices.match(written):
            written = f"%{ord(written[0]):02X}{written[1:]}"
    # Ours; also where case does not matter. Temporary files of transfers begin so, too.
    if written.casefold().startswith(own_folder):
        written = f"%2E{written[1:]}"
    return _with_hash(written, part) if len(os.fsencode(written)) > _longest else written


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode())


def _with_hash(path: str, name: str) -> str:
    """`story~1f0c5a2b.txt`, which is never too long."""
    folder, slash, last = path.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not stem or len(extension) > 20:
        stem, dot, extension = last, "", ""
    end = f"~{hashlib.sha256(name.encode()).hexdigest()[:8]}{dot}{extension}"
    room = _longest - len(os.fsencode(end))
    # Not within a character.
    short = os.fsencode(stem)[:room].decode("utf-8", "ignore")
    return f"{folder}{slash}{short}{end}"
