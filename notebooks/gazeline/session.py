"""A notebook machine of the lab."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gazeline.api import encoded
from gazeline.errors import GazelineError
from gazeline.job import Job

if TYPE_CHECKING:
    from gazeline.lab import Lab


class Session:
    """A session, as it was when it was last looked at. Its disk is kept while it is stopped."""

    def __init__(self, lab: Lab, record: dict[str, Any]):
        self._lab = lab
        self.record = record

    @property
    def name(self) -> str:
        return self.record["name"]

    @property
    def state(self) -> str:
        return self.record["state"]

    @property
    def link(self) -> str | None:
        """Where it is opened in a browser, with your Google account; None while it does not run."""
        return self.record.get("link")

    def __repr__(self) -> str:
        reason = self.record.get("reason")
        return f"<Session {self.name}: {self.state}{f', {reason}' if reason else ''}{f', {self.link}' if self.link else ''}>"

    def refresh(self) -> Session:
        self.record = self._lab._api.get(self._path)
        return self

    def start(self) -> Session:
        self._lab._api.post(f"{self._path}/start")
        return self.refresh()

    def stop(self) -> Session:
        """Its disk is kept, and costs little; `delete` ends that as well."""
        self._lab._api.post(f"{self._path}/stop")
        return self.refresh()

    def delete(self, *, disk: bool = False) -> None:
        """@param disk: what lies on it is gone for good"""
        self._lab._api.delete(self._path, disk="delete" if disk else None)

    def wait(self, state: str = "running", *, every: float = 5, most: float = 1800) -> Session:
        """Until it is in this state. @raises GazelineError if it will not be"""
        end = time.monotonic() + most
        while self.refresh().state != state:
            if self.state in ("failed", "refused", "deleted"):
                raise GazelineError(f"The session {self.name} is {self.state}: {self.record.get('reason', 'no reason is known')}")
            if time.monotonic() > end:
                raise GazelineError(f"The session {self.name} is still {self.state} after {most / 60:.0f} minutes.")
            time.sleep(every)
        return self

    def run(self, notebook: str, **parameters: Any) -> Job:
        """Runs a notebook of the session to its end on the machine, whatever becomes of this one: the laptop may close."""
        body = {"notebook": notebook, **({"parameters": parameters} if parameters else {})}
        return Job(self._lab, self._lab._api.post(f"{self._path}/runs", body))

    @property
    def _path(self) -> str:
        return f"/v1/sessions/{encoded(self.name)}"
