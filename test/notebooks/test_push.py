from __future__ import annotations

from pathlib import Path

import pytest

import gazeline
from conftest import random_bytes
from gazeline import push


def test_a_file_and_a_folder_are_in_the_derived_bucket(lab, local, study):
    content = random_bytes(300_000)
    Path("model.h5").write_bytes(content)
    assert lab.push("model.h5", f"{study.prefix}models/").names == [f"{study.prefix}models/model.h5"]
    assert local.get(f"{study.prefix}models/model.h5") == content
    assert lab.push("model.h5", f"{study.prefix}models/last.h5").names == [f"{study.prefix}models/last.h5"]

    (Path("tables") / "deep").mkdir(parents=True)
    Path("tables/a.csv").write_text("1")
    Path("tables/deep/empty.csv").write_text("")
    Path("tables/.ipynb_checkpoints").mkdir()
    Path("tables/.ipynb_checkpoints/a.csv").write_text("old")
    pushed = lab.push("tables", f"{study.prefix}tables/")
    assert pushed.names == [f"{study.prefix}tables/a.csv", f"{study.prefix}tables/deep/empty.csv"]
    assert local.get(f"{study.prefix}tables/deep/empty.csv") == b""
    # What is there already is not sent again.
    assert lab.push("tables", f"{study.prefix}tables/").transferred == 0


def test_other_bytes_in_the_bucket_are_not_replaced_without_being_told(lab, local, study):
    Path("a.txt").write_text("first")
    lab.push("a.txt", study.prefix)
    Path("a.txt").write_text("second")
    with pytest.raises(gazeline.AlreadyThere, match="overwrite=True"):
        lab.push("a.txt", study.prefix)
    assert local.get(f"{study.prefix}a.txt") == b"first"
    lab.push("a.txt", study.prefix, overwrite=True)
    assert local.get(f"{study.prefix}a.txt") == b"second"


def test_raw_data_is_refused_with_the_reason(lab, study):
    Path("p01.tsv").write_text("1")
    with pytest.raises(gazeline.GazelineError, match="mirror of the study folder"):
        lab.push("p01.tsv", "recordings/", bucket="raw")
    with pytest.raises(gazeline.NotAllowed, match="only Gazeline writes to"):
        lab.push("p01.tsv", "annotations/")
    with pytest.raises(gazeline.NotFound, match="There is no nothing.txt here"):
        lab.push("nothing.txt", study.prefix)


@pytest.mark.parametrize("kind", ["cut", "lostAnswer", "status", "shortAck", "expireSession"])
def test_an_upload_goes_on_after_a_fault(lab, local, study, kind):
    content = random_bytes(3_000_000)
    Path("model.h5").write_bytes(content)
    local.fault(kind, f"upload.*{study.prefix}", method="PUT", times=2)
    lab.push("model.h5", study.prefix)
    assert local.get(f"{study.prefix}model.h5") == content


def test_what_somebody_else_writes_meanwhile_is_not_replaced(lab, local, study, monkeypatch):
    Path("a.txt").write_text("mine")
    sessions = push.Pusher._sessions

    def meanwhile(self, *arguments):
        urls = sessions(self, *arguments)
        study.put("a.txt", b"theirs", "derived")
        return urls

    monkeypatch.setattr(push.Pusher, "_sessions", meanwhile)
    with pytest.raises(gazeline.AlreadyThere, match="Somebody else"):
        lab.push("a.txt", study.prefix)
    assert local.get(f"{study.prefix}a.txt") == b"theirs"


def test_a_file_that_changes_while_it_is_sent_is_told(lab, study, monkeypatch):
    Path("a.txt").write_text("before")
    sessions = push.Pusher._sessions

    def meanwhile(self, *arguments):
        urls = sessions(self, *arguments)
        Path("a.txt").write_text("after it")
        return urls

    monkeypatch.setattr(push.Pusher, "_sessions", meanwhile)
    with pytest.raises(gazeline.TransferFailed, match="changed while it was sent"):
        lab.push("a.txt", study.prefix)


def test_results_lie_in_a_mounted_drive(lab, study):
    for name in ("a.csv", "deep/b.csv"):
        study.put(name, name.encode(), "derived")
    copied = lab.to_drive(study.prefix, "My Drive/Data")
    there = Path("My Drive/Data") / study.prefix
    assert (there / "deep/b.csv").read_bytes() == b"deep/b.csv"
    assert (copied.files, copied.copied) == (2, 2)
    assert lab.to_drive(study.prefix, "My Drive/Data").copied == 0
    (there / "a.csv").write_text("what somebody has made of it")
    with pytest.raises(gazeline.LocalChanges, match="a.csv"):
        lab.to_drive(study.prefix, "My Drive/Data")
    assert (there / "a.csv").read_text() == "what somebody has made of it"
    # What goes to Drive is no data that the notebook works with.
    assert lab.provenance()["data"] == []
