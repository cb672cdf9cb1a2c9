"""Answers of the lab as DataFrames."""

from __future__ import annotations

from typing import Any, Iterable

from gazeline.errors import GazelineError


def table(rows: Iterable[dict[str, Any]], columns: list[str]) -> Any:
    """A DataFrame that has these columns first, also when there are no rows."""
    try:
        import pandas
    except ImportError:
        raise GazelineError("Tables need pandas, which is not installed here: %pip install pandas") from None
    frame = pandas.DataFrame(list(rows))
    return frame.reindex(columns=[*columns, *(column for column in frame.columns if column not in columns)])
