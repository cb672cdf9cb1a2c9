"""A real lab for the tests: the local cloud, and the functions beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

import gazeline
from gazeline import api, download, push, transfer

root = Path(__file__).parent.parent.parent


class LocalLab:
    """What a test may do to a lab behind its back."""

    def __init__(self, folder: Path):
        self.folder = folder
        environment = json.loads((folder / ".cloud" / "environment.json").read_text())
        self.cloud = environment["GAZELINE_LOCAL_CLOUD"]
        self.api = environment["GAZELINE_API_URL"]
        self.key_file = Path(environment["GOOGLE_APPLICATION_CREDENTIALS"])

    def put(self, name: str, content: bytes, bucket: str = "raw", **metadata) -> str:
        """@returns the generation"""
        url = f"{self.cloud}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
        headers = {"Authorization": "Bearer test", "Content-Type": "application/octet-stream"}
        answer = requests.post(url, data=content, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()["generation"]

    def get(self, name: str, bucket: str = "derived") -> bytes:
        url = f"{self.cloud}/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
        answer = requests.get(url, headers={"Authorization": "Bearer test"}, timeout=60)
        answer.raise_for_status()
        return answer.content

    def remove(self, name: str, bucket: str = "raw") -> None:
        url = f"{self.cloud}/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        requests.delete(url, headers={"Authorization": "Bearer test"}, timeout=60).raise_for_status()

    def fault(self, kind: str, path: str, **more) -> None:
        body = {"service": "storage", "kind": kind, "path": path, **more}
        requests.post(f"{self.cloud}/_local/faults", json=body, timeout=60).raise_for_status()

    def forget_faults(self) -> None:
        requests.delete(f"{self.cloud}/_local/faults", timeout=60).raise_for_status()

    def downloads(self, prefix: str) -> list[dict]:
        """What was read by addresses of the bucket since the last `forget_requests`."""
        seen = requests.get(f"{self.cloud}/_local/requests?service=storage", timeout=60).json()["requests"]
        return [one for one in seen if one["method"] == "GET" and one["url"].startswith(f"/{prefix}")]

    def forget_requests(self) -> None:
        requests.delete(f"{self.cloud}/_local/requests", timeout=60).raise_for_status()


@pytest.fixture(scope="session")
def local(tmp_path_factory) -> LocalLab:
    folder = tmp_path_factory.mktemp("lab") / "lab"
    node = os.environ.get("GAZELINE_NODE", "node")
    command = [
        node,
        "--disable-warning=ExperimentalWarning",
        "deploy/local/main.ts",
        "--dir",
        str(folder),
        "--port",
        "0",
    ]
    log = folder.parent / "lab.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=subprocess.STDOUT)
    try:
        until(lambda: (folder / ".cloud" / "environment.json").exists() or process.poll() is not None, 120)
        assert process.poll() is None, log.read_text()
        yield LocalLab(folder)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def lab(local, monkeypatch, tmp_path):
    """Signed in, in an empty folder, without long waits."""
    monkeypatch.chdir(tmp_path)
    for module in (api, transfer, push):
        monkeypatch.setattr(module, "wait_before", lambda attempt, retry_after=None: 0.01)
    yield gazeline.connect(dir=local.folder)
    local.forget_faults()


@pytest.fixture
def small_parts(monkeypatch):
    """A file of some megabytes is a large one."""
    monkeypatch.setattr(download, "part_size", 1 << 20)


@pytest.fixture
def study(local, request):
    """A prefix of the test's own, and how a file is put there."""

    class Study:
        prefix = f"{request.node.name.replace('[', '-').replace(']', '')}/"

        def put(self, name: str, content: bytes, bucket: str = "raw") -> str:
            return local.put(self.prefix + name, content, bucket)

        def remove(self, name: str, bucket: str = "raw") -> None:
            local.remove(self.prefix + name, bucket)

    return Study()


def until(is_so, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def random_bytes(size: int, seed: int = 0) -> bytes:
    """The same each time, and nowhere the same."""
    block = hashlib.shake_256(str(seed).encode()).digest(min(size, 1 << 16))
    parts = [block[8:] + index.to_bytes(8, "big") for index in range(size // (1 << 16))]
    return b"".join(parts) + block[: size % (1 << 16)]


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()
