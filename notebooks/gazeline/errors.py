"""What can go wrong, in words that say what to do next."""

from __future__ import annotations


class GazelineError(Exception):
    """All errors of this module are one of these."""


class NotConnected(GazelineError):
    """There is no lab, or no way to sign in to it."""


class NotFound(GazelineError):
    """What was asked for is not there."""


class NotTheSameData(GazelineError):
    """The bytes that a manifest names cannot be had any more."""


class LocalChanges(GazelineError):
    """Files here would be overwritten that are not as they were pulled; nothing was."""

    def __init__(self, message: str, paths: list[str]):
        super().__init__(message)
        self.paths = paths


class AlreadyThere(GazelineError):
    """Something else in the bucket has this name; it was not replaced."""


class DiskFull(GazelineError):
    """There is no room here. No file is half written."""


class TransferFailed(GazelineError):
    """Some files could not be transferred. Those that could are there, and are not transferred again."""

    def __init__(self, message: str, failures: dict[str, str]):
        super().__init__(message)
        self.failures = failures


class ApiError(GazelineError):
    """The lab refused, or could not do, what it was asked for."""

    def __init__(self, message: str, status: int = 0):
        super().__init__(message)
        self.status = status


class NotAllowed(ApiError):
    """The lab does not know you, or your role does not allow this."""


def some(things: list[str], most: int = 10) -> str:
    """A list for an error: the first few, and how many more there are."""
    lines = [f"  {thing}" for thing in things[:most]]
    if len(things) > most:
        lines.append(f"  … and {len(things) - most:,} more")
    return "\n".join(lines)
