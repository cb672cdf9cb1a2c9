"""Finds the lab, and a way to sign in to it, wherever the notebook runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

from gazeline.api import Api, check_address
from gazeline.errors import NotConnected
from gazeline.identity import identity_for, is_colab, local_identity
from gazeline.lab import Lab

_how = """\
No lab is known here. Say where it is, in one of these ways:
  gazeline.connect("https://…", caller="caller-…@….iam.gserviceaccount.com")   as whoever looks after the lab has told you
  in Colab: the secrets GAZELINE_API and GAZELINE_CALLER (the key at the left side), with access for this notebook
  elsewhere: the variables GAZELINE_API and GAZELINE_CALLER
  on your laptop: npm start in the folder of Gazeline, and gazeline.connect(dir="lab")"""


def connect(url: str | None = None, *, caller: str | None = None, dir: str | os.PathLike | None = None) -> Lab:
    """Connects to the lab.

    Args:
        url: the address of the lab's API. Without one, it is looked for: in GAZELINE_API (a variable, or a secret of
            Colab), at the machine that this runs on, and in the folder `lab/`, for one that `npm start` runs.
        caller: the service account that stands for you at the lab (GAZELINE_CALLER). Not needed on the lab's own machines.
        dir: the folder of a lab that `npm start` runs on this computer.

    Raises:
        NotConnected: with what to do.
    """
    if dir is not None:
        return _checked(_local(Path(dir)))
    url = url or _setting("GAZELINE_API")
    if url:
        check_address(url)
        return _checked(Api(url, identity_for(url, caller or _setting("GAZELINE_CALLER"))))
    if (Path("lab") / ".cloud" / "environment.json").exists():
        return _checked(_local(Path("lab")))
    raise NotConnected(_how)


def _local(folder: Path) -> Api:
    """A lab that runs says where it is in a file of its folder."""
    file = folder / ".cloud" / "environment.json"
    try:
        environment = json.loads(file.read_text())
    except OSError:
        raise NotConnected(
            f"No lab runs in {folder.resolve()}. Start one with npm start in the folder of Gazeline, "
            "or name the folder that it has: gazeline.connect(dir=…)"
        ) from None
    return Api(*local_identity(environment))


def _checked(api: Api) -> Lab:
    return Lab(api, api.get("/v1/me"))


def _setting(name: str) -> str | None:
    return os.environ.get(name) or _secret_of_colab(name) or _of_machine(name)


def _secret_of_colab(name: str) -> str | None:
    if not is_colab():
        return None
    from google.colab import userdata

    try:
        return userdata.get(name)
    except Exception:
        # It is not there, this notebook may not read it, or nobody answers: each has a class of its own.
        return None


def _of_machine(name: str) -> str | None:
    """What the lab's own machines are told: metadata like `gazeline-api`."""
    from google.auth import exceptions
    from google.auth.compute_engine import _metadata
    from google.auth.transport.requests import Request

    # Elsewhere, looking for a metadata server takes seconds.
    if not (os.environ.get("GCE_METADATA_HOST") or _is_google_machine()):
        return None
    try:
        return _metadata.get(Request(), f"instance/attributes/{name.lower().replace('_', '-')}", retry_count=1)
    except exceptions.GoogleAuthError:
        return None


def _is_google_machine() -> bool:
    try:
        return Path("/sys/class/dmi/id/product_name").read_text().strip().startswith("Google")
    except OSError:
        return False
