"""How far something is, shown while it goes on."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total: int, what: str, is_shown: bool) -> Iterator[Callable[[int], None]]:
    """@returns what is told how many bytes there are by now"""
    if not is_shown or total == 0:
        yield lambda _: None
        return
    try:
        with warnings.catch_warnings():
            # Without ipywidgets it is a bar of text, which is no reason to warn anybody.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

            bar = tqdm(total=total, desc=what, unit="B", unit_scale=True)
    except ImportError:
        yield _lines(total, what)
        return
    with bar:

        def show(now: int) -> None:
            bar.update(now - bar.n)

        yield show


def _lines(total: int, what: str) -> Callable[[int], None]:
    last = time.monotonic()

    def show(now: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 5:
            last = time.monotonic()
            print(f"{what}: {readable(now)} of {readable(total)}", file=sys.stderr)

    return show


def files_of(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def readable(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
