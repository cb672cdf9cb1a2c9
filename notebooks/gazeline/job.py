"""A piece of heavy work, and how to see what becomes of it."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazeline.api import encoded
from gazeline.errors import GazelineError

if TYPE_CHECKING:
    from gazeline.lab import Lab

_ends = {"succeeded", "failed", "cancelled", "lost", "refused"}


class Job:
    """A job of the lab, as it was when it was last looked at."""

    def __init__(self, lab: Lab, summary: dict[str, Any]):
        self._lab = lab
        # All that the lab knows of it, once it was looked at: each machine, and how it went.
        self.record = {key: value for key, value in summary.items() if key not in ("attempts", "machine")}

    @property
    def id(self) -> str:
        return self.record["id"]

    @property
    def state(self) -> str:
        return self.record["state"]

    @property
    def is_over(self) -> bool:
        return self.state in _ends

    def __repr__(self) -> str:
        reason = self.record.get("reason")
        return f"<Job {self.id}: {self.state}{f', {reason}' if reason else ''}>"

    def refresh(self) -> Job:
        detail = self._lab._api.get(self._path)
        self.record = {**detail["record"], "cost": detail["cost"], "results": detail["results"]}
        return self

    def cancel(self) -> Job:
        """Ends it; its machine goes."""
        self._lab._api.post(f"{self._path}/cancel")
        return self.refresh()

    def retry(self) -> Job:
        """The same once more, as a new job."""
        return Job(self._lab, self._lab._api.post(f"{self._path}/retry"))

    def logs(self, attempt: int | None = None) -> str:
        """What it has printed so far."""
        return "".join(self.refresh()._pieces(_Position(attempt)))

    def follow(self, *, every: float = 3, lines: int = 20) -> Job:
        """Shows what becomes of it until it ends. Interrupting the cell ends the view, not the job.

        Raises:
            GazelineError: if it ends in another way than `succeeded`, with the reason.
        """
        view = _View(lines)
        position = _Position(None)
        while True:
            # The state first: what was printed before the end is shown after it.
            self.refresh()
            for piece in self._pieces(position):
                view.add(piece)
            view.show(self)
            if self.is_over:
                break
            time.sleep(every)
        if self.state != "succeeded":
            raise GazelineError(f"The job {self.id} {_ending(self)}. Its log: job.logs(); once more: job.retry()")
        return self

    def results(self, folder: str | Path = "processing", *, overwrite: bool = False, progress: bool = True) -> Path:
        """Pulls what it has made.

        Returns:
            The folder that the results are in.
        """
        # What is wrong if there are none is told by this.
        self._lab._api.get(f"{self._path}/results", pageSize=1)
        prefix = f"jobs/{self.id}/results/"
        self._lab.pull(prefix, folder, bucket="derived", overwrite=overwrite, progress=progress)
        return Path(folder) / prefix

    @property
    def _path(self) -> str:
        return f"/v1/jobs/{encoded(self.id)}"

    def _pieces(self, position: _Position) -> Iterator[str]:
        """What is new of the log since the last time."""
        while True:
            attempts = [attempt["number"] for attempt in self.record.get("attempts", [])]
            if position.attempt is None:
                if not attempts:
                    return
                position.attempt = attempts[0]
            page = self._lab._api.get(f"{self._path}/logs", attempt=position.attempt, offset=position.offset)
            position.offset = page["nextOffset"]
            if page["text"]:
                yield page["text"]
                continue
            later = [attempt for attempt in attempts if attempt > position.attempt]
            if position.is_one or not later:
                return
            position.attempt, position.offset = later[0], 0


class _Position:
    def __init__(self, attempt: int | None):
        self.attempt = attempt
        self.offset: int = 0
        # Only this attempt, or one after the other.
        self.is_one = attempt is not None


class _View:
    """In a notebook one place that changes; elsewhere lines that follow each other."""

    def __init__(self, lines: int):
        self._lines = lines
        self._last: list[str] = []
        self._state = ""
        self._handle = _display_handle()

    def add(self, text: str) -> None:
        if self._handle is None:
            print(text, end="" if text.endswith("\n") else "\n")
        # A progress bar of the job's own begins its line again and again.
        new = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
        self._last = [line for line in [*self._last, *new] if line.strip()][-self._lines :]

    def show(self, job: Job) -> None:
        head = _headline(job)
        if self._handle is None:
            if job.state != self._state:
                print(head)
        else:
            log = html.escape("\n".join(self._last))
            text = f"<b>{html.escape(head)}</b><pre style='max-height: 30em; overflow: auto'>{log}</pre>"
            self._handle.update(_Html(text, head))
        self._state = job.state


class _Html:
    def __init__(self, text: str, plain: str):
        self._text = text
        self._plain = plain

    def _repr_html_(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._plain


def _display_handle():
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    shell = get_ipython()
    # A terminal cannot change what it has shown.
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return display(_Html("", ""), display_id=True)


def _headline(job: Job) -> str:
    record = job.record
    attempts = record.get("attempts", [])
    parts = [job.id, job.state]
    if record.get("reason"):
        parts.append(record["reason"])
    if attempts:
        candidate = attempts[-1].get("candidate") or {}
        machine = " ".join(str(candidate[key]) for key in ("accelerator", "machineType", "zone") if candidate.get(key))
        parts.append(f"attempt {attempts[-1]['number']}{f' on {machine}' if machine else ''}")
    dollars = (record.get("cost") or {}).get("dollars")
    if dollars is not None:
        parts.append(f"${dollars:.2f} so far")
    return " · ".join(parts)


def _ending(job: Job) -> str:
    reason = job.record.get("reason")
    return f"ended: {job.state}{f' ({reason})' if reason else ''}"
