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
    """A session, as it was when it was last looked at. Its disks are kept while it is stopped."""

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
        cost = self.record["cost"]
        if self.state == "running":
            price = cost["perHour"]
            words = "a price that is not known" if price is None else f"${price:.2f} an hour"
            if ends := self.record.get("endsAt"):
                words += f", until {ends[:16].replace('T', ' ')} UTC"
        else:
            price = cost["perMonthStopped"]
            words = "" if price is None or self.is_over else f"its disks cost ${price:.2f} a month"
        return f"<Session {self.name}: {', '.join(filter(None, [self.state, reason, self.link, words]))}>"

    def refresh(self) -> Session:
        self.record = self._lab._api.get(self._path)
        return self

    @property
    def is_over(self) -> bool:
        """Nothing of it is left, or there never was anything."""
        return self.state in ("deleted", "failed", "refused")

    def start(self) -> Session:
        """Again, on its own disks."""
        self.record = self._lab._api.post(f"{self._path}/start")
        return self

    def stop(self) -> Session:
        """Its disks are kept; what they cost a month is in `.record["cost"]`."""
        self.record = self._lab._api.post(f"{self._path}/stop")
        return self

    def prolong(self, hours: float = 1) -> Session:
        """It is stopped so many hours later than it would be. When nobody uses it, it is stopped all the same.

        Raises:
            ApiError: if it does not run, or if a limit of yours or of the lab does not allow so much.
        """
        self.record = self._lab._api.post(f"{self._path}/prolong", {"hours": hours})
        return self

    def delete(self, *, disk: str = "keep") -> Session:
        """@param disk "delete": what lies on its disks is gone for good. Without it, this is refused as long as there are disks."""
        self.record = self._lab._api.delete(self._path, disk=disk)
        return self

    def wait(self, state: str = "running", *, every: float = 5, most: float = 1800) -> Session:
        """Until it is in this state. @raises GazelineError if it will not be"""
        end = time.monotonic() + most
        while self.refresh().state != state:
            if self.is_over:
                raise GazelineError(
                    f"The session {self.name} is {self.state}: {self.record.get('reason', 'no reason is known')}"
                )
            if time.monotonic() > end:
                raise GazelineError(f"The session {self.name} is still {self.state} after {most / 60:.0f} minutes.")
            time.sleep(every)
        return self

    def run(self, notebook: str, parameters: dict[str, Any] | None = None, **options: Any) -> Job:
        """Runs a notebook of its repository to its end, as a job of its own with the same data and accelerators.

        It goes on when the laptop is closed and the session is stopped. What is not pushed to the repository is not in it.

        Args:
            parameters: of papermill.
            options: ref, environment, results, hours.
        """
        body = {"notebook": notebook, **({"parameters": parameters} if parameters else {}), **options}
        return Job(self._lab, self._lab._api.post(f"{self._path}/runs", body))

    @property
    def _path(self) -> str:
        return f"/v1/sessions/{encoded(self.name)}"
