"""The lab: everything that a notebook can ask of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from gazeline import drive
from gazeline.api import Api, encoded
from gazeline.cost import Cost
from gazeline.errors import GazelineError, NotFound
from gazeline.export import Export
from gazeline.job import Job
from gazeline.provenance import Provenance, provenance_of
from gazeline.pull import Pulled, Puller
from gazeline.push import Pushed, Pusher
from gazeline.session import Session
from gazeline.tables import annotation_columns, annotation_row, table


class Lab:
    """A lab that you are signed in to: `gazeline.connect()` gives one."""

    def __init__(self, api: Api, me: dict[str, Any]):
        self._api = api
        self.me = me
        self._pulled: dict[tuple[str, str, str], Pulled] = {}

    def __repr__(self) -> str:
        local = ", on this computer" if self.me["isLocal"] else ""
        return f"<Lab {self.me['project']}{local}: you are {self.me['person']} ({self.me['role']})>"

    # Files

    def pull(
        self,
        prefix: str = "",
        folder: str | Path = "processing",
        *,
        bucket: str = "raw",
        manifest: str | None = None,
        overwrite: bool = False,
        progress: bool = True,
    ) -> Pulled:
        """Brings files from the bucket to a folder here: `lab.pull("recordings/")`.

        What is there and unchanged does not come again; nothing is deleted. Interrupted, it goes on where it was.

        Args:
            prefix: the beginning of the names; empty for everything.
            bucket: "raw", which mirrors the study folder, or "derived", for what was computed.
            manifest: the id of a manifest, from `lab.provenance()`: just the bytes that were there then.
            overwrite: replaces files that were changed here.

        Raises:
            LocalChanges: files here would be lost.
            NotTheSameData: what the manifest names cannot be had any more.
            DiskFull, TransferFailed, NotFound
        """
        _one_of(bucket, ("raw", "derived"), "bucket")
        named = self._api.get(f"/v1/manifests/{encoded(manifest)}") if manifest else None
        if named:
            bucket, prefix = named["bucket"], named["prefix"]
        puller = Puller(self._api, bucket, prefix, Path(folder), overwrite=overwrite, progress=progress)
        pulled = puller.as_of(named) if named else puller.latest()
        self._pulled[bucket, prefix, str(folder)] = pulled
        return pulled

    def push(
        self,
        source: str | Path,
        destination: str = "",
        *,
        bucket: str = "derived",
        overwrite: bool = False,
        progress: bool = True,
    ) -> Pushed:
        """Puts a file, or all files of a folder, into the derived bucket: `lab.push("model.h5", "models/")`.

        Args:
            destination: a folder, if it ends in `/`; else the name of the one file.
            overwrite: replaces files in the bucket that have the same names and other bytes.
        """
        if bucket == "raw":
            raise GazelineError(
                "Nothing is pushed into the raw bucket: it is the mirror of the study folder, and what is not there would be "
                "taken for a mistake. New data: put it into the study folder in Drive. Results: leave out bucket=."
            )
        _one_of(bucket, ("derived",), "bucket")
        return Pusher(self._api, overwrite=overwrite, progress=progress).push(Path(source), destination)

    def objects(self, prefix: str = "", *, bucket: str = "raw") -> Any:
        """What is in the bucket, as a DataFrame."""
        _one_of(bucket, ("raw", "derived"), "bucket")
        rows = self._api.items(f"/v1/datasets/{bucket}/objects", prefix=prefix)
        return table(rows, ["name", "size", "updated", "generation", "md5", "crc32c", "contentType"])

    # Stimuli

    def annotations(self, stimulus: str | None = None, *, prefix: str | None = None) -> Any:
        """What is known of stimuli, as a DataFrame with a row for each: `lab.annotations(prefix="stimuli/")`."""
        rows = self._records("annotation", "/v1/annotations", stimulus=stimulus, prefix=prefix)
        return table(map(annotation_row, rows), annotation_columns)

    def annotation(self, stimulus: str) -> dict[str, Any]:
        """Everything about one stimulus, with what the service has answered."""
        return self._api.get(f"/v1/annotations/{encoded(stimulus)}")

    def areas_of_interest(
        self, stimulus: str | None = None, *, prefix: str | None = None, kind: str | None = None
    ) -> Any:
        """Areas of interest as a DataFrame, with a row for each: `lab.areas_of_interest("stimuli/street.png", kind="word")`.

        x, y, width and height are pixels of a picture; start and end count UTF-16 code units of a text. `isLocal` is true
        where a stand-in on somebody's laptop has found them, and not the service.

        Raises:
            NotFound: the stimulus has no annotation, so that it is not known what it shows.
        """
        rows = self._records("annotation", "/v1/areas-of-interest", stimulus=stimulus, prefix=prefix, kind=kind)
        if stimulus and not rows:
            # That nothing was found in it is not that nobody has looked.
            self.annotation(stimulus)
        places = ["x", "y", "width", "height", "start", "end", "isLocal"]
        return table(rows, ["stimulus", "generation", "kind", "label", "confidence", *places])

    # Work

    def quote(self, job: dict[str, Any] | str | Path | None = None, **fields: Any) -> dict[str, Any]:
        """What a job may cost, before anything is paid."""
        return self._api.post("/v1/jobs/quote", _job_of(job, fields))

    def submit(self, job: dict[str, Any] | str | Path | None = None, **fields: Any) -> Job:
        """Starts a job: `lab.submit(name="Train", repository="https://…", script="train.py", accelerators=["L4"])`.

        Args:
            job: the fields of a `*.job.yaml`, or the path of one (which needs PyYAML); more of them by name.
        """
        return Job(self, self._api.post("/v1/jobs", _job_of(job, fields)))

    def job(self, id: str) -> Job:
        return Job(self, {"id": id}).refresh()

    def jobs(self) -> list[Job]:
        """The newest first. One that cannot be read is told by a warning, and hides none of the others."""
        return [Job(self, record) for record in self._records("job", "/v1/jobs")]

    def session(self, name: str, **wish: Any) -> Session:
        """A notebook machine: `lab.session("mine", accelerators=["L4"], repository="https://…", data=["raw/recordings/"])`.

        One of this name is given as it is, running or stopped. If there is none, it is made, if a wish says what it is to be.
        """
        try:
            found = Session(self, self._api.get(f"/v1/sessions/{encoded(name)}"))
        except NotFound:
            found = None
        if found and not (wish and found.is_over):
            return found
        if not wish:
            raise NotFound(f'There is no session {name}. Start one: lab.session("{name}", accelerators=["cpu:4"])')
        return Session(self, self._api.post("/v1/sessions", {"name": name, **wish}))

    def sessions(self) -> list[Session]:
        """By name, without those of which nothing is left. One that cannot be read is told by a warning."""
        return [Session(self, record) for record in self._records("session", "/v1/sessions")]

    def run(
        self, notebook: str, parameters: dict[str, Any] | None = None, *, session: str | Session, **options: Any
    ) -> Job:
        """Runs a notebook of a session's repository to its end, as a job of its own: the laptop may close."""
        one = session if isinstance(session, Session) else self.session(session)
        return one.run(notebook, parameters, **options)

    def cost(self) -> Cost:
        """What is spent now, today and in this period, and by what."""
        return Cost(self._api.get("/v1/cost"))

    # Into Drive

    def to_drive(
        self,
        prefix: str,
        folder: str | Path,
        *,
        bucket: str = "derived",
        through: str | Path = "processing",
        overwrite: bool = False,
        progress: bool = True,
    ) -> drive.Copied:
        """Copies results into your mounted Drive: `lab.to_drive("analysis/", "/content/drive/MyDrive/Data")`.

        They are pulled into `through` first, and checked there. In Colab the Drive is mounted if it is not yet.
        """
        target = Path(folder)
        drive.mount_if_needed(target)
        _one_of(bucket, ("raw", "derived"), "bucket")
        # Not what this notebook works with: it is no part of its provenance.
        pulled = Puller(self._api, bucket, prefix, Path(through), overwrite=overwrite, progress=progress).latest()
        files = {Path(through) / path: target / path for path in pulled.paths}
        return drive.copy_all(files, target, overwrite=overwrite, progress=progress)

    def export(self, prefix: str, folder: str) -> Export:
        """Copies results into a folder of a shared drive, by the lab itself: `lab.export("analysis/", "https://drive.google.com/…")`.

        Args:
            folder: its link, or the id at the end of that.
        """
        return Export(self, self._api.post("/v1/exports", {"prefix": prefix, "folder": folder}))

    def exports(self) -> list[Export]:
        """The newest first. One that cannot be read is told by a warning, and hides none of the others."""
        return [Export(self, record) for record in self._records("export", "/v1/exports")]

    def _records(self, what: str, path: str, **query: Any) -> list[dict[str, Any]]:
        """Everything of a list, with a warning for each that the API cannot read."""
        found: list[dict[str, Any]] = []
        unreadable: dict[str, str] = {}
        for page in self._api.pages(path, **query):
            found += page["items"]
            unreadable |= {one["id"]: one["reason"] for one in page["unreadable"]}
        for id, reason in unreadable.items():
            warnings.warn(f"The {what} {id} cannot be read: {reason}", stacklevel=3)
        return found

    # For the paper

    def provenance(self) -> Provenance:
        """What this notebook has pulled, by manifests, with its commit and versions.

        With `lab.pull(manifest=…)` a notebook has the same bytes a year later, or is refused.
        """
        return provenance_of(list(self._pulled.values()), self.me["project"], self.me["isLocal"])


def _one_of(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        raise GazelineError(f"{what}={value!r} is none of {', '.join(allowed)}.")


def _job_of(job: dict[str, Any] | str | Path | None, fields: dict[str, Any]) -> dict[str, Any]:
    if isinstance(job, (str, Path)):
        try:
            import yaml
        except ImportError:
            raise GazelineError(
                "A job in a file needs PyYAML: %pip install pyyaml, or give its fields by name."
            ) from None
        try:
            job = yaml.safe_load(Path(job).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise GazelineError(f"{job} cannot be read: {error}") from None
    if not isinstance(job or {}, dict):
        raise GazelineError("A job is a list of fields, as name and repository.")
    return {**(job or {}), **fields}
