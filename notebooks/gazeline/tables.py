"""Answers of the lab as DataFrames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gazeline.errors import GazelineError


def table(rows: Iterable[dict[str, Any]], columns: list[str]) -> Any:
    """A DataFrame that has these columns first, also when there are no rows."""
    try:
        import pandas
    except ImportError:
        raise GazelineError("Tables need pandas, which is not installed here: %pip install pandas") from None
    frame = pandas.DataFrame(list(rows))
    return frame.reindex(columns=[*columns, *(column for column in frame.columns if column not in columns)])


annotation_columns = [
    "stimulus", "generation", "kind", "width", "height", "areasOfInterest", "features", "service", "isLocal",
    "annotatedAt", "problems", "size", "contentType", "md5",
]  # fmt: skip


def annotation_row(annotation: dict[str, Any]) -> dict[str, Any]:
    """One line of what is nested; areas of interest are counted."""
    stimulus, annotator, image = annotation["stimulus"], annotation["annotator"], annotation.get("image") or {}
    return {
        **{key: stimulus[key] for key in ("generation", "size", "contentType", "md5")},
        **{key: annotation[key] for key in ("kind", "features", "annotatedAt", "problems")},
        "stimulus": stimulus["name"],
        "width": image.get("width"),
        "height": image.get("height"),
        "areasOfInterest": len(annotation["areasOfInterest"]),
        "service": annotator["service"],
        # A stand-in on somebody's laptop has answered.
        "isLocal": annotator["local"],
    }
