from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import gazeline
from conftest import random_bytes
from gazeline import checksum


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".gazeline") for part in path.relative_to(folder).parts)
    }


def test_what_is_below_a_prefix_lies_in_processing_byte_for_byte(lab, study):
    files = {"p01.tsv": random_bytes(200_000, 1), "deep/er/p02.tsv": random_bytes(10, 2), "empty.txt": b""}
    for name, content in files.items():
        study.put(name, content)
    pulled = lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == files
    assert (pulled.files, pulled.transferred, pulled.bytes) == (3, 3, 200_010)
    assert repr(pulled).startswith(f"processing/: 3 files, 200 kB, from raw/{study.prefix} (3 new")


def test_what_has_not_changed_does_not_come_again(lab, local, study):
    for name in ("a", "b", "c"):
        study.put(name, name.encode())
    lab.pull(study.prefix)
    study.put("b", b"another one")
    study.put("c", b"c")
    local.forget_requests()
    pulled = lab.pull(study.prefix)
    # The second version of c has the bytes of the first.
    assert [one["url"].split("?")[0] for one in local.downloads("raw/")] == [f"/raw/{study.prefix}b"]
    assert (pulled.files, pulled.transferred) == (3, 1)
    local.forget_requests()
    assert lab.pull(study.prefix).transferred == 0
    assert local.downloads("raw/") == []


def test_a_file_that_is_not_in_the_bucket_any_more_stays_and_is_told(lab, study):
    study.put("stays", b"1")
    study.put("goes", b"2")
    lab.pull(study.prefix)
    study.remove("goes")
    mine = Path("processing") / study.prefix / "mine.txt"
    mine.write_text("my own")
    pulled = lab.pull(study.prefix)
    assert pulled.left == [f"{study.prefix}goes"]
    assert (mine.parent / "goes").read_bytes() == b"2"
    assert mine.read_text() == "my own"
    assert "1 files here are not in the bucket any more" in repr(pulled)


def test_local_changes_are_not_overwritten_before_they_are_told(lab, local, study):
    for name in ("a", "b", "new"):
        study.put(name, b"from the bucket")
    folder = Path("processing") / study.prefix
    folder.mkdir(parents=True)
    (folder / "a").write_text("my own notes")
    local.forget_requests()
    with pytest.raises(gazeline.LocalChanges, match="overwrite=True") as refused:
        lab.pull(study.prefix)
    assert refused.value.paths == [f"{study.prefix}a"]
    assert local.downloads("raw/") == []
    assert tree(folder) == {"a": b"my own notes"}
    lab.pull(study.prefix, overwrite=True)
    assert (folder / "a").read_bytes() == b"from the bucket"

    # One that was pulled and then changed is refused as well, even if only the bucket's is newer.
    (folder / "b").write_text("changed")
    study.put("b", b"newer")
    with pytest.raises(gazeline.LocalChanges):
        lab.pull(study.prefix)
    assert (folder / "b").read_text() == "changed"


def test_a_file_that_was_only_touched_or_whose_record_is_lost_is_no_change(lab, local, study):
    study.put("a", b"the same")
    study.put("b", b"the same")
    lab.pull(study.prefix)
    folder = Path("processing") / study.prefix
    os.utime(folder / "a", (1, 1))
    local.forget_requests()
    assert lab.pull(study.prefix).transferred == 0
    Path("processing/.gazeline/pulled.jsonl").unlink()
    assert lab.pull(study.prefix).transferred == 0
    assert local.downloads("raw/") == []


def test_a_file_in_the_way_of_a_folder_stops_the_pull_before_it_begins(lab, study):
    study.put("sub/a", b"1")
    study.put("file", b"2")
    folder = Path("processing") / study.prefix
    (folder / "file").mkdir(parents=True)
    (folder / "sub").write_text("a file")
    with pytest.raises(gazeline.LocalChanges, match="a file is where its folder should be") as refused:
        lab.pull(study.prefix, overwrite=True)
    assert len(refused.value.paths) == 2
    assert tree(folder) == {"sub": b"a file"}


def test_a_prefix_without_files_says_what_there_is(lab, study):
    study.put("recordings/p01.tsv", b"1")
    with pytest.raises(gazeline.NotFound, match=re.escape(f"{study.prefix}recordings/")):
        lab.pull(f"{study.prefix}recording s/")


@pytest.mark.parametrize("with_crc32c", [True, False])
def test_a_large_file_comes_in_parts(lab, local, study, small_parts, monkeypatch, with_crc32c):
    if not with_crc32c:
        monkeypatch.setattr(checksum, "_crc32c", None)
    content = random_bytes((7 << 20) + 12_345)
    study.put("large.bin", content)
    local.forget_requests()
    lab.pull(study.prefix)
    assert tree(Path("processing") / study.prefix) == {"large.bin": content}
    assert len(local.downloads("raw/")) == 8
    assert list(Path("processing/.gazeline/parts").glob("*")) == []


def test_two_pulls_into_one_folder_do_not_meet(lab, study):
    study.put("a", b"1")
    lab.pull(study.prefix)
    from gazeline.record import Record

    with Record(Path("processing")), pytest.raises(gazeline.GazelineError, match="Another notebook"):
        lab.pull(study.prefix)
    lab.pull(study.prefix)


def test_half_a_line_of_the_record_is_passed_over(lab, local, study):
    study.put("a", b"1")
    study.put("b", b"2")
    lab.pull(study.prefix)
    record = Path("processing/.gazeline/pulled.jsonl")
    record.write_bytes(record.read_bytes().rstrip()[:-20])
    local.forget_requests()
    assert lab.pull(study.prefix).transferred == 0
    study.put("c", b"3")
    assert lab.pull(study.prefix).transferred == 1
    assert lab.pull(study.prefix).transferred == 0
    assert len(local.downloads("raw/")) == 1


def test_the_manifest_of_a_pull_brings_the_same_bytes_again(lab, study):
    study.put("a", b"first")
    study.put("b", b"stays")
    manifest = lab.pull(study.prefix).manifest["id"]
    assert lab.pull(study.prefix).manifest["id"] == manifest
    study.put("a", b"second")
    study.remove("b")
    study.put("c", b"later")
    assert lab.pull(study.prefix).manifest["id"] != manifest
    # The raw bucket keeps its versions.
    again = lab.pull(manifest=manifest, folder="again")
    assert tree(Path("again") / study.prefix) == {"a": b"first", "b": b"stays"}
    assert (again.bucket, again.prefix, again.files) == ("raw", study.prefix, 2)
    with pytest.warns(UserWarning, match="1 files that are not of the manifest"):
        lab.pull(manifest=manifest)
    assert (Path("processing") / study.prefix / "a").read_bytes() == b"first"


def test_a_manifest_whose_bytes_are_gone_is_refused(lab, study):
    # The derived bucket keeps no versions that can be read.
    study.put("a", b"first", "derived")
    study.put("b", b"second", "derived")
    manifest = lab.pull(study.prefix, "before", bucket="derived").manifest["id"]
    study.put("b", b"second", "derived")
    assert lab.pull(manifest=manifest, folder="same").files == 2
    study.put("a", b"another one", "derived")
    with pytest.raises(gazeline.NotTheSameData, match=f"{study.prefix}a") as refused:
        lab.pull(manifest=manifest, folder="later")
    assert "1 of 2 files" in str(refused.value)
    with pytest.raises(gazeline.NotFound):
        lab.pull(manifest="0" * 24)


def test_provenance_names_the_manifest_and_the_versions(lab, study):
    study.put("a", b"1")
    pulled = lab.pull(study.prefix)
    provenance = lab.provenance()
    [data] = provenance["data"]
    assert data["manifest"]["id"] == pulled.manifest["id"]
    assert data["manifest"]["sha256"] == pulled.manifest["sha256"]
    assert "pytest" in provenance["packages"]
    assert lab.me["person"] not in repr(provenance).replace(os.getcwd(), "")
