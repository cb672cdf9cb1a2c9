"""The lab's eye-tracking data, annotations and machines, from a notebook.

    import gazeline
    lab = gazeline.connect()
    lab.pull("recordings/")          # the files are in processing/recordings/, whole and checked

It works in Colab, on Workbench, on a laptop, and against a lab that `npm start` runs.
"""

from gazeline.connect import connect
from gazeline.errors import (
    AlreadyThere,
    ApiError,
    DiskFull,
    GazelineError,
    LocalChanges,
    NotAllowed,
    NotConnected,
    NotFound,
    NotTheSameData,
    TransferFailed,
)
from gazeline.job import Job
from gazeline.lab import Lab
from gazeline.pull import Pulled
from gazeline.session import Session

__version__ = "0.1.0"

__all__ = [
    "AlreadyThere",
    "ApiError",
    "DiskFull",
    "GazelineError",
    "Job",
    "Lab",
    "LocalChanges",
    "NotAllowed",
    "NotConnected",
    "NotFound",
    "NotTheSameData",
    "Pulled",
    "Session",
    "TransferFailed",
    "connect",
]
