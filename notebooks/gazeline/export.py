"""From the derived bucket into a shared drive, by the lab itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from gazeline.api import encoded
from gazeline.errors import GazelineError, some
from gazeline.progress import files_of, readable

if TYPE_CHECKING:
    from gazeline.lab import Lab


class Export:
    """An export, as it was when it was last looked at. It goes on whatever becomes of this notebook."""

    def __init__(self, lab: Lab, record: dict[str, Any]):
        self._lab = lab
        self.record = record

    @property
    def id(self) -> str:
        return self.record["id"]

    @property
    def state(self) -> str:
        return self.record["state"]

    def __repr__(self) -> str:
        record = self.record
        reason = f", {record['reason']}" if record.get("reason") else ""
        text = f"<Export {self.id}: {self.state}{reason}; {files_of(record['objects'])}, {readable(record['bytes'])}: {self._done()}>"
        if troubles := record.get("troubles"):
            text += f"\nNot under their own names:\n{some([_words(trouble) for trouble in troubles])}"
        return text

    def refresh(self) -> Export:
        self.record = self._lab._api.get(f"/v1/exports/{encoded(self.id)}")
        return self

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    def cancel(self) -> Export:
        """Ends it. What is in the folder by then stays, and files that are being sent at this moment may still come.

        Raises:
            ApiError: if it has ended otherwise.
        """
        self.record = self._lab._api.post(f"/v1/exports/{encoded(self.id)}/cancel")
        return self

    def wait(self, *, every: float = 5) -> Export:
        """Until it is over. @raises GazelineError if nothing more is done, with the reason"""
        while not self.refresh().is_over:
            time.sleep(every)
        if self.state != "done":
            words = "has failed" if self.state == "failed" else "was cancelled"
            reason = self.record.get("reason", "no reason is known")
            raise GazelineError(
                f"The export {self.id} {words}: {reason}. Of {files_of(self.record['objects'])}: {self._done()}."
            )
        return self

    def _done(self) -> str:
        done = ", ".join(f"{count:,} {did}" for did, count in self.record["counts"].items())
        return done or ("none" if self.is_over else "none yet")


def _words(trouble: dict[str, Any]) -> str:
    words = f"{trouble['name']}: {trouble['did']}"
    if trouble.get("as"):
        words += f", it is there as {trouble['as']}"
    return f"{words}, {trouble['because']}" if trouble.get("because") else words
