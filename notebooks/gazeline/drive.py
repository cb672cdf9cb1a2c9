"""Into the mounted Drive of whoever runs the notebook."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from gazeline import checksum
from gazeline.errors import DiskFull, LocalChanges, NotFound, some
from gazeline.identity import is_colab
from gazeline.progress import files_of, progress_bar, readable

_mount = Path("/content/drive")
_block = 4 << 20


@dataclass
class Copied:
    """What lies in the Drive now. Drive for desktop and Colab go on with uploading it for some time."""

    folder: Path
    files: int
    bytes: int
    copied: int

    def __repr__(self) -> str:
        return f"{self.folder}/: {files_of(self.files)}, {readable(self.bytes)} ({self.copied:,} new)"


def mount_if_needed(folder: Path) -> None:
    """A service account cannot own files in anybody's My Drive; the person can, in their own notebook."""
    if _mount not in (folder, *folder.parents) or (_mount / "MyDrive").exists():
        return
    if not is_colab():
        raise NotFound(f"{folder} is not there: outside of Colab, name the folder that your Drive is mounted at.")
    from google.colab import drive

    drive.mount(str(_mount))


def copy_all(files: dict[Path, Path], folder: Path, *, overwrite: bool, progress: bool) -> Copied:
    """@param files from where to where. One that is there with the same bytes is not copied again."""
    waiting = {source: target for source, target in files.items() if not _is_same(source, target)}
    others = [str(target) for target in waiting.values() if os.path.lexists(target)]
    if others and not overwrite:
        raise LocalChanges(
            f"{len(others):,} files in {folder} are others:\n{some(others)}\n"
            "Nothing was copied. Choose another folder, or replace them with overwrite=True.",
            others,
        )
    sizes = {source: source.stat().st_size for source in files}
    done = 0
    with progress_bar(sum(sizes[source] for source in waiting), files_of(len(waiting)), progress) as show:
        for source, target in waiting.items():
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy(source, target, lambda count, before=done: show(before + count))
            except OSError as error:
                _without(target)
                raise DiskFull(
                    f"{target} cannot be written: {error.strerror}. What was copied before it is whole."
                ) from None
            done += sizes[source]
    return Copied(folder, len(files), sum(sizes.values()), len(waiting))


def _is_same(source: Path, target: Path) -> bool:
    try:
        there, here = target.stat(), source.stat()
    except OSError:
        return False
    if there.st_size != here.st_size:
        return False
    # Drive keeps times by the second or so. What was copied from here has the time of its source.
    if abs(there.st_mtime - here.st_mtime) < 2:
        return True
    return checksum.md5_of(target) == checksum.md5_of(source)


def _copy(source: Path, target: Path, show) -> None:
    # Drive would take a half file for a version.
    temporary = _temporary(target)
    copied = 0
    with open(source, "rb") as reader, open(temporary, "wb") as writer:
        while data := reader.read(_block):
            writer.write(data)
            copied += len(data)
            show(copied)
    shutil.copystat(source, temporary)
    os.replace(temporary, target)


def _temporary(target: Path) -> Path:
    return target.with_name(f".gazeline-{hashlib.sha256(target.name.encode()).hexdigest()[:16]}.part")


def _without(target: Path) -> None:
    try:
        _temporary(target).unlink(missing_ok=True)
    except OSError:
        pass
