"""From the bucket to a folder here."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gazeline import checksum
from gazeline.api import Api
from gazeline.download import Download, forget_old_parts, lstat
from gazeline.errors import ApiError, DiskFull, LocalChanges, NotFound, NotTheSameData, TransferFailed, some
from gazeline.names import FileSystem, own_folder, paths_of
from gazeline.objects import Object, SignedUrls, digest_of
from gazeline.progress import files_of, progress_bar, readable
from gazeline.record import Kept, Record
from gazeline.transfer import Transfer

# How often what is replaced meanwhile is looked for again.
_rounds = 5


@dataclass
class Pulled:
    """What is there now."""

    folder: Path
    bucket: str
    prefix: str
    files: int = 0
    bytes: int = 0
    # Of these, how many came now.
    transferred: int = 0
    transferred_bytes: int = 0
    seconds: float = 0.0
    # Of all these files, as of one moment: the same bytes can be had by it again. If there is none, the problem says why.
    manifest: dict[str, Any] | None = field(default=None, repr=False)
    problem: str | None = None
    # Of all these files, below the folder.
    paths: list[str] = field(default_factory=list, repr=False)
    # Objects whose file has another name, because it cannot have theirs here.
    renamed: dict[str, str] = field(default_factory=dict)
    # Files that were pulled before, and are not in the bucket any more. Nothing is deleted here.
    left: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        text = (
            f"{self.folder}/: {files_of(self.files)}, {readable(self.bytes)}, from {self.bucket}/{self.prefix}"
            f" ({self.transferred:,} new, {readable(self.transferred_bytes)} in {self.seconds:.1f} s)"
        )
        if self.renamed:
            text += f"\n{len(self.renamed):,} have another name here, see .renamed"
        if self.left:
            text += f"\n{len(self.left):,} files here are not in the bucket any more and were left, see .left"
        return text


class Puller:
    """Brings what is below a prefix, or what a manifest names."""

    def __init__(self, api: Api, bucket: str, prefix: str, folder: Path, *, overwrite: bool, progress: bool):
        self._api = api
        self._bucket = bucket
        self._prefix = prefix
        self._folder = folder
        self._overwrite = overwrite
        self._progress = progress
        self._pulled = Pulled(folder, bucket, prefix)

    def latest(self) -> Pulled:
        """What is there now. What is replaced while it is pulled comes anew, until all of it is of one moment."""
        begin = time.monotonic()
        objects = self._listed()
        if not objects:
            raise NotFound(self._nothing_there())
        with self._open_record() as record:
            before: list[Object] = []
            for _ in range(_rounds):
                if gone := self._bring(objects, record):
                    if never := [one.name for one in gone if one in before]:
                        why = "the bucket lists it, and does not give it"
                        raise TransferFailed(f"{len(never):,} files: {why}:\n{some(never)}", dict.fromkeys(never, why))
                    # Some were replaced before they had come.
                    before, objects = gone, self._listed()
                    continue
                manifest = self._manifest_of(objects)
                if manifest is None or manifest["sha256"] == digest_of(objects):
                    return self._result(objects, record, manifest, begin)
                objects = self._objects_of(manifest)
            raise TransferFailed(
                f"Files below {self._prefix} are replaced faster than they can be pulled. What has come is there; "
                "pull again when the study folder is at rest.",
                {},
            )

    def as_of(self, manifest: dict[str, Any]) -> Pulled:
        """Just the bytes that the manifest names. @raises NotTheSameData"""
        begin = time.monotonic()
        objects = self._objects_of(manifest)
        if digest_of(objects) != manifest["sha256"]:
            raise NotTheSameData(f"The manifest {manifest['id']} does not match its own checksum.")
        with self._open_record() as record:
            if gone := self._bring(objects, record):
                # The same bytes may have been written once more.
                now = {one.name: one for one in self._listed()}
                same = {one: now[one.name] for one in gone if one.name in now and now[one.name].has_same_bytes(one)}
                gone = [one for one in gone if one not in same]
                if not gone:
                    gone = self._bring([same.get(one, one) for one in objects], record)
            if gone:
                raise NotTheSameData(
                    f"{len(gone):,} of {len(objects):,} files of the manifest {manifest['id']} cannot be had any more:\n"
                    f"{some([one.name for one in gone])}\nWithout them, this is not the same data."
                )
            pulled = self._result(objects, record, manifest, begin)
        if pulled.left:
            warnings.warn(
                f"{self._folder} has {len(pulled.left):,} files that are not of the manifest {manifest['id']}, and were "
                "left: pull into another folder if the notebook reads whatever is there.",
                stacklevel=3,
            )
        return pulled

    def _open_record(self) -> Record:
        try:
            return Record(self._folder)
        except (FileExistsError, NotADirectoryError):
            raise LocalChanges(
                f"{self._folder} is a file, or lies in one: a folder is needed.", [str(self._folder)]
            ) from None
        except PermissionError:
            raise LocalChanges(f"{self._folder} may not be written to.", [str(self._folder)]) from None

    def _listed(self) -> list[Object]:
        items = self._api.items(f"/v1/datasets/{self._bucket}/objects", prefix=self._prefix)
        return [Object.of(self._bucket, item) for item in items]

    def _objects_of(self, manifest: dict[str, Any]) -> list[Object]:
        items = self._api.items(f"/v1/manifests/{manifest['id']}/objects")
        return [Object.of(self._bucket, item) for item in items]

    def _nothing_there(self) -> str:
        parent = self._prefix.rstrip("/").rpartition("/")[0]
        parent = f"{parent}/" if parent else ""
        page = self._api.get(f"/v1/datasets/{self._bucket}/objects", prefix=parent, delimiter="/", pageSize=100)
        there = [*page["prefixes"], *(item["name"] for item in page["items"])]
        text = f"Nothing in the {self._bucket} bucket begins with “{self._prefix}”."
        return (
            f"{text} There is:\n{some(there, 20)}" if there else f"{text} There is nothing in {parent or 'it'} at all."
        )

    def _bring(self, objects: list[Object], record: Record) -> list[Object]:
        """@returns those that are not there any more, in this generation"""
        paths = paths_of([one.name for one in objects], FileSystem.of(self._folder))
        self._pulled.paths = list(paths.values())
        self._pulled.renamed = {name: path for name, path in paths.items() if name != path}
        downloads = self._planned([one for one in objects if one.name in paths], paths, record)
        forget_old_parts(self._folder, {(one.bucket, one.name): one.generation for one in objects})
        self._refuse_full_disk(downloads)
        for one in objects:
            if one.name not in paths:
                self._make_empty_folder(one.name)
        if not downloads:
            return []
        for parent in {one.target.parent for one in downloads}:
            parent.mkdir(parents=True, exist_ok=True)
        lock, flushed = threading.Lock(), time.monotonic()

        def on_file(download: Download, stat: os.stat_result) -> None:
            nonlocal flushed
            with lock:
                record.add(_kept(download.object, paths[download.object.name], stat))
                self._pulled.transferred += 1
                self._pulled.transferred_bytes += download.object.size
                if time.monotonic() - flushed > 1:
                    record.flush()
                    flushed = time.monotonic()

        urls = SignedUrls(self._api, [one.object for one in sorted(downloads, key=lambda one: -one.object.size)])
        transfer = Transfer(downloads, urls, on_file)
        total = sum(one.object.size for one in downloads)
        with progress_bar(total, files_of(len(downloads)), self._progress) as show:
            transfer.run(show)
        if transfer.failures:
            lines = [f"{name}: {why}" for name, why in transfer.failures.items()]
            raise TransferFailed(
                f"{len(lines):,} of {len(downloads):,} files could not be pulled:\n{some(lines)}\n"
                "Pull again: what is there already does not come once more.",
                transfer.failures,
            )
        return [one.object for one in transfer.replaced]

    def _planned(self, objects: list[Object], paths: dict[str, str], record: Record) -> list[Download]:
        """What has to come. @raises LocalChanges before anything is written"""
        downloads: list[Download] = []
        changed: list[str] = []
        blocked: set[str] = set()
        folders: dict[Path, bool] = {}
        for one in objects:
            path = paths[one.name]
            target = self._folder / path
            if not _is_free(target.parent, self._folder, folders):
                blocked.add(f"{path}: a file is where its folder should be")
                continue
            stat = lstat(target)
            if stat is None:
                downloads.append(Download(one, target, self._folder, None))
                continue
            kept = record.files.get(path)
            if not os.path.isfile(target) or os.path.islink(target):
                blocked.add(f"{path}: there is a folder, or a link, of this name")
            elif kept and kept.is_as_it_was(stat) and (kept.bucket, kept.name) == (one.bucket, one.name):
                if not one.has_same_bytes(kept):
                    downloads.append(Download(one, target, self._folder, stat))
                elif kept.generation != one.generation:
                    record.add(_kept(one, path, stat))
            elif _is_same(target, stat, one):
                record.add(_kept(one, path, stat))
            elif self._overwrite:
                downloads.append(Download(one, target, self._folder, stat))
            else:
                changed.append(path)
        if blocked:
            raise LocalChanges(
                f"{len(blocked):,} files cannot be pulled into {self._folder}:\n{some(sorted(blocked))}\n"
                "Move what is there away, or pull into another folder. Nothing was changed.",
                sorted(blocked),
            )
        if changed:
            raise LocalChanges(
                f"{len(changed):,} files in {self._folder} are not as they were pulled, or were not pulled at all:\n"
                f"{some(changed)}\nNothing was changed. Move them away, pull into another folder, or replace them by "
                "those of the bucket with overwrite=True.",
                changed,
            )
        return downloads

    def _refuse_full_disk(self, downloads: list[Download]) -> None:
        needed = sum(one.object.size for one in downloads if not lstat(one.temporary))
        free = shutil.disk_usage(self._folder).free
        if needed > free:
            raise DiskFull(
                f"{readable(needed)} have to come, and {self._folder.resolve()} has room for {readable(free)}. Make room, "
                "pull a smaller prefix, or pull into another folder. Nothing was changed."
            )

    def _make_empty_folder(self, name: str) -> None:
        folder = paths_of([f"{name}x"], FileSystem(False, False, os.name == "nt"))[f"{name}x"].rpartition("/")[0]
        try:
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        except OSError:
            # Nothing is in it.
            pass

    def _manifest_of(self, objects: list[Object]) -> dict[str, Any] | None:
        """The one from last time, if nothing has changed since."""
        file = self._folder / own_folder / "manifests.json"
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        place = f"{self._api.url} {self._bucket}/{self._prefix}"
        if place in known and known[place].get("sha256") == digest_of(objects):
            return known[place]
        try:
            manifest = self._api.post(f"/v1/datasets/{self._bucket}/manifests", {"prefix": self._prefix})
        except ApiError as error:
            # It changes all the time, or there is too much for one.
            if error.status not in (400, 409):
                raise
            self._pulled.problem = f"No manifest names all of it: {error}"
            return None
        new = file.with_suffix(".new")
        new.write_text(json.dumps({**known, place: manifest}, indent=1), encoding="utf-8")
        os.replace(new, file)
        return manifest

    def _result(self, objects: list[Object], record: Record, manifest: dict[str, Any] | None, begin: float) -> Pulled:
        names = {one.name for one in objects}
        pulled = self._pulled
        pulled.files = sum(not one.name.endswith("/") for one in objects)
        pulled.bytes = sum(one.size for one in objects)
        pulled.manifest = manifest
        pulled.left = sorted(
            kept.path
            for kept in record.files.values()
            if kept.bucket == self._bucket
            and kept.name.startswith(self._prefix)
            and kept.name not in names
            and lstat(self._folder / kept.path)
        )
        pulled.seconds = time.monotonic() - begin
        return pulled


def _kept(one: Object, path: str, stat: os.stat_result) -> Kept:
    return Kept(path, one.bucket, one.name, one.generation, stat.st_size, stat.st_mtime_ns, one.md5, one.crc32c)


def _is_same(target: Path, stat: os.stat_result, one: Object) -> bool:
    """It was touched, or its record is lost."""
    if stat.st_size != one.size:
        return False
    if one.md5:
        return checksum.md5_of(target) == one.md5
    return checksum.crc32c_of(target) == one.crc32c


def _is_free(folder: Path, top: Path, known: dict[Path, bool]) -> bool:
    """Whether it is a folder, or can become one."""
    if folder not in known:
        is_folder = folder == top or os.path.isdir(folder)
        known[folder] = is_folder or (not os.path.lexists(folder) and _is_free(folder.parent, top, known))
    return known[folder]
