"""The local cloud fails in the ways that Cloud Storage and the network do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import gazeline
from conftest import random_bytes, until
from gazeline import objects, pull, transfer
from signed_url import expired_url
from test_pull import tree


def test_cut_streams_are_gone_on_with_where_they_ended(lab, local, study):
    files = {f"{number}.bin": random_bytes(100_000, number) for number in range(4)}
    for name, content in files.items():
        study.put(name, content)
    local.fault("cutAfter", f"^/raw/{study.prefix}", bytes=30_000, times=10)
    local.forget_requests()
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == files
    assert len(local.downloads("raw/")) == 14


def test_a_cut_in_each_part_of_a_large_file(lab, local, study, small_parts):
    content = random_bytes(5 << 20)
    study.put("large.bin", content)
    local.fault("cutAfter", f"^/raw/{study.prefix}", bytes=700_000, times=5)
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == {"large.bin": content}


@pytest.mark.parametrize("kind", ["cut", "lostAnswer"])
def test_connections_that_end_without_an_answer(lab, local, study, kind):
    files = {f"{number}.txt": f"{number}".encode() for number in range(30)}
    for name, content in files.items():
        study.put(name, content)
    local.fault(kind, f"^/raw/{study.prefix}", probability=0.3)
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == files


@pytest.mark.parametrize("status", [429, 503])
def test_a_bucket_that_is_busy_is_asked_again(lab, local, study, monkeypatch, status):
    asked: list[str | None] = []
    monkeypatch.setattr(transfer, "wait_before", lambda _, retry_after=None: asked.append(retry_after) or 0.01)
    files = {f"{number}.txt": f"{number}".encode() for number in range(10)}
    for name, content in files.items():
        study.put(name, content)
    local.fault("status", f"^/raw/{study.prefix}", status=status, times=12, retryAfter=3)
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == files
    assert asked.count("3") == 12


def test_a_bucket_that_never_answers_is_told_and_what_came_is_kept(lab, local, study):
    for number in range(5):
        study.put(f"{number}.txt", b"content")
    local.fault("status", f"^/raw/{study.prefix}3", status=503)
    with pytest.raises(
        gazeline.TransferFailed, match="(?s)1 of 5 files.*3.txt: the bucket answered with 503"
    ) as failed:
        lab.pull(study.prefix)
    assert "X-Goog" not in str(failed.value)
    assert len(tree(Path("processing"))) == 4
    local.forget_faults()
    assert lab.pull(study.prefix).transferred == 1


def test_addresses_that_have_ended_are_asked_for_anew(lab, local, study, monkeypatch):
    files = {f"{number:02}.txt": f"{number}".encode() for number in range(60)}
    for name, content in files.items():
        study.put(name, content)
    post, signed = lab._api.post, []

    def late(path, body=None, **options):
        answer = post(path, body, **options)
        if path == "/v1/signed-urls":
            signed.append(len(answer["items"]))
            if len(signed) == 1:
                for item in answer["items"]:
                    item["url"] = expired_url(local, "raw", item["name"], item["generation"])
        return answer

    monkeypatch.setattr(lab._api, "post", late)
    local.forget_requests()
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == files
    refused = [one for one in local.downloads("raw/") if one["status"] == 400]
    # Only those that were on their way, not all that were signed together.
    assert 1 <= len(refused) <= 24
    assert len(signed) <= 4


@pytest.mark.parametrize("bucket", ["raw", "derived"])
def test_a_file_that_is_replaced_during_the_pull_comes_as_it_is_at_the_end(lab, study, monkeypatch, bucket):
    for number in range(5):
        study.put(f"{number}.txt", b"before", bucket)
    sign, replaced = objects.SignedUrls._sign, []

    def meanwhile(self, place):
        sign(self, place)
        if not replaced:
            replaced.append(study.put("3.txt", b"after", bucket))
            study.remove("4.txt", bucket)

    monkeypatch.setattr(objects.SignedUrls, "_sign", meanwhile)
    pulled = lab.pull(study.prefix, bucket=bucket)
    expected = {**{f"{number}.txt": b"before" for number in range(3)}, "3.txt": b"after"}
    there = tree(Path("processing") / study.prefix)
    # What had come before it was removed stays; of the derived bucket, it could not be had any more.
    assert there == ({**expected, "4.txt": b"before"} if bucket == "raw" else expected)
    assert pulled.files == 4
    assert lab.pull(study.prefix, bucket=bucket).transferred == 0


def test_a_file_that_is_changed_here_while_it_is_pulled_is_not_lost(lab, study, monkeypatch):
    study.put("a.txt", b"from the bucket")
    sign = objects.SignedUrls._sign

    def meanwhile(self, place):
        sign(self, place)
        (Path("processing") / study.prefix / "a.txt").write_text("mine")

    monkeypatch.setattr(objects.SignedUrls, "_sign", meanwhile)
    with pytest.raises(gazeline.TransferFailed, match="changed here while it was pulled"):
        lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == {"a.txt": b"mine"}


def test_wrong_bytes_are_never_put_in_place(lab, local, study, small_parts, monkeypatch):
    content = random_bytes(3 << 20)
    study.put("large.bin", content)
    study.put("small.bin", content[:1000])
    receive, spoiled = transfer.Transfer._receive, []

    def spoil(self, one, first, end, write, count):
        def wrong(data):
            if len(spoiled) < 2:
                spoiled.append(one.name)
                data = b"\0" * len(data)
            return write(data)

        def wrong_count(data):
            count(b"\0" * len(data) if spoiled.count(one.name) and len(spoiled) <= 2 else data)

        return receive(self, one, first, end, wrong, wrong_count)

    monkeypatch.setattr(transfer.Transfer, "_receive", spoil)
    with pytest.raises(gazeline.TransferFailed, match="checksum"):
        lab.pull(study.prefix)
    monkeypatch.setattr(transfer.Transfer, "_receive", receive)
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == {"large.bin": content, "small.bin": content[:1000]}


def run_here(local, code: str, **options) -> subprocess.Popen:
    """In a process of its own, which may be killed and limited."""
    head = f"import gazeline\nfrom gazeline import download\nlab = gazeline.connect(dir={str(local.folder)!r})\n"
    script = head + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
    )


def test_a_full_disk_is_told_and_leaves_no_half_file(lab, local, study):
    study.put("a-small.bin", random_bytes(50_000))
    study.put("large.bin", random_bytes(5 << 20))
    process = run_here(
        local,
        f"""
        import resource
        # To the system, a file that may not grow is a disk that is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))
        try:
            lab.pull({study.prefix!r}, progress=False)
        except gazeline.DiskFull as error:
            print(error)
        """,
    )
    output, errors = process.communicate(timeout=60)
    assert "The disk is full" in output, errors
    assert "Make room" in output
    names = set(tree(Path("processing") / study.prefix))
    assert names <= {"a-small.bin"}


@pytest.mark.parametrize("size", [5 << 20, 900_000])
def test_a_disk_that_is_too_small_is_told_before_anything_comes(lab, local, study, monkeypatch, size):
    study.put("large.bin", random_bytes(size))
    usage = type("usage", (), {"free": 800_000})
    monkeypatch.setattr(pull.shutil, "disk_usage", lambda _: usage)
    local.forget_requests()
    with pytest.raises(gazeline.DiskFull, match="has room for 800 kB"):
        lab.pull(study.prefix)
    assert local.downloads("raw/") == []


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_pull_whose_kernel_died_goes_on_where_it_was(lab, local, study, small_parts):
    content = random_bytes(20 << 20)
    study.put("large.bin", content)
    local.fault("latency", f"^/raw/{study.prefix}", ms=400)
    process = run_here(local, f"download.part_size = 1 << 20\nlab.pull({study.prefix!r}, progress=False)")
    marks = Path("processing/.gazeline/parts")

    def some_parts_are_there() -> bool:
        assert process.poll() is None, process.communicate()
        return any(len(file.read_text().split("\n")) > 6 for file in marks.glob("*"))

    until(some_parts_are_there)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert tree(Path("processing") / study.prefix).keys().isdisjoint({"large.bin"})
    local.forget_faults()
    local.forget_requests()
    lab.pull(study.prefix)
    assert (Path("processing") / study.prefix / "large.bin").read_bytes() == content
    assert len(local.downloads("raw/")) <= 16
    assert [path.name for path in (Path("processing") / study.prefix).iterdir()] == ["large.bin"]


def test_half_of_an_old_version_is_not_used_for_a_new_one(lab, local, study, small_parts):
    old, new = random_bytes(4 << 20, 1), random_bytes(4 << 20, 2)
    study.put("large.bin", old)
    local.fault("status", f"^/raw/{study.prefix}", status=503)
    with pytest.raises(gazeline.TransferFailed):
        lab.pull(study.prefix)
    assert len(list(Path("processing/.gazeline/parts").glob("*"))) == 1
    local.forget_faults()
    study.put("large.bin", new)
    lab.pull(study.prefix)
    assert [path.name for path in (Path("processing") / study.prefix).iterdir()] == ["large.bin"]
    assert (Path("processing") / study.prefix / "large.bin").read_bytes() == new


def test_a_cell_that_is_interrupted_stops_and_the_next_goes_on(lab, local, study):
    for number in range(200):
        study.put(f"{number:03}.bin", random_bytes(1000, number))
    local.fault("latency", f"^/raw/{study.prefix}", ms=300)
    process = run_here(local, f"lab.pull({study.prefix!r}, progress=False)")
    until(lambda: len(tree(Path("processing"))) > 20)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert "X-Goog-Signature" not in errors
    local.forget_faults()
    there = len(tree(Path("processing")))
    assert 20 < there < 200
    assert not list(Path("processing").rglob("*.part"))
    assert lab.pull(study.prefix).transferred <= 200 - there
    assert len(tree(Path("processing"))) == 200


def test_the_api_is_asked_again_when_it_does_not_answer_well(lab, local, study):
    study.put("a.txt", b"1")
    # The function's own list of the bucket fails.
    local.fault("status", "^/storage/v1/b/raw/o$", status=503, times=2)
    assert lab.pull(study.prefix).files == 1


def test_a_lab_that_is_not_there_is_told(local, monkeypatch, tmp_path):
    from gazeline import api

    monkeypatch.setattr(api, "wait_before", lambda *_: 0)
    environment = json.loads((local.folder / ".cloud" / "environment.json").read_text())
    (tmp_path / ".cloud").mkdir()
    environment["GAZELINE_API_URL"] = "http://127.0.0.1:9/api"
    (tmp_path / ".cloud" / "environment.json").write_text(json.dumps(environment))
    with pytest.raises(gazeline.NotConnected, match="npm start"):
        gazeline.connect(dir=tmp_path)
