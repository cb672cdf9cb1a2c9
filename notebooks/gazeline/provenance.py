"""What a result was made of, to be put into the supplement of a paper."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gazeline.pull import Pulled


class Provenance(dict):
    """As JSON; `save` writes it into a file."""

    def __repr__(self) -> str:
        return json.dumps(self, indent=2, ensure_ascii=False)

    def save(self, path: str | Path) -> Path:
        Path(path).write_text(f"{self!r}\n", encoding="utf-8")
        return Path(path)


def provenance_of(pulled: list[Pulled], project: str, is_local: bool) -> Provenance:
    return Provenance(
        {
            "madeBy": f"gazeline {metadata.version('gazeline')}" if _is_installed() else "gazeline",
            "madeAt": datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "lab": {"project": project, "isLocal": is_local},
            "data": [_data_of(one) for one in pulled],
            "code": _code(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": _packages(),
        }
    )


def _data_of(one: Pulled) -> dict[str, Any]:
    data: dict[str, Any] = {"bucket": one.bucket, "prefix": one.prefix, "files": one.files, "bytes": one.bytes}
    if one.manifest:
        data["manifest"] = {key: one.manifest[key] for key in ("id", "sha256", "createdAt")}
        data["again"] = f'lab.pull(manifest="{one.manifest["id"]}")'
    else:
        data["manifest"] = None
        data["problem"] = one.problem
    if one.left:
        data["filesHereThatWereNotInTheBucket"] = one.left
    return data


def _code() -> dict[str, Any]:
    """Of the repository that the notebook lies in, if it lies in one."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {"commit": None}
    # An address may hold a password.
    remote = (_git("remote", "get-url", "origin") or "").split("@")[-1]
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {"repository": remote or None, "commit": commit, "hasUncommittedChanges": bool(changed)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _packages() -> dict[str, str]:
    """Those that the notebook has imported."""
    owners = metadata.packages_distributions()
    names = {owner for module in list(sys.modules) if "." not in module for owner in owners.get(module, [])}
    return {name: metadata.version(name) for name in sorted(names, key=str.lower)}


def _is_installed() -> bool:
    try:
        metadata.version("gazeline")
    except metadata.PackageNotFoundError:
        return False
    return True
