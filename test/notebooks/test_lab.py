"""Tables and work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

import gazeline
from conftest import root, until


@pytest.fixture
def annotated(lab):
    until(lambda: len(lab.annotations(prefix="stimuli/")) >= 8, 180)
    return lab


def test_annotations_are_a_table_of_stimuli(annotated):
    table = annotated.annotations(prefix="stimuli/pictures/")
    assert list(table["stimulus"]) == sorted(table["stimulus"])
    assert set(table["kind"]) == {"image"}
    assert table["isLocal"].all()
    assert (table["width"] > 100).all()
    [one] = annotated.annotations("stimuli/pictures/poster.png").itertuples()
    whole = annotated.annotation("stimuli/pictures/poster.png")
    assert one.areasOfInterest == len(whole["areasOfInterest"])
    assert "response" in whole
    assert len(annotated.annotations("stimuli/nothing.png")) == 0
    with pytest.raises(gazeline.NotFound, match="has no annotation"):
        annotated.annotation("stimuli/nothing.png")


def test_areas_of_interest_are_a_table(annotated):
    areas = annotated.areas_of_interest("stimuli/pictures/poster.png")
    words = annotated.areas_of_interest("stimuli/pictures/poster.png", kind="word")
    assert 0 < len(words) <= len(areas)
    assert set(words["kind"]) == {"word"}
    assert (words["width"] > 0).all()
    # The columns are there when there is nothing, so that the next cell works.
    nothing = annotated.areas_of_interest("stimuli/pictures/poster.png", kind="logo")
    assert len(nothing) == 0 and list(nothing.columns) == list(areas.columns)
    # Nobody has looked, which is not that there is nothing.
    with pytest.raises(gazeline.NotFound, match="has no annotation"):
        annotated.areas_of_interest("stimuli/nothing.png")
    everything = annotated.areas_of_interest(prefix="stimuli/")
    assert everything["stimulus"].nunique() >= 5


def test_objects_are_a_table(lab):
    table = lab.objects("stimuli/")
    assert list(table.columns[:3]) == ["name", "size", "updated"]
    assert len(table) >= 8


@pytest.fixture
def work(local, tmp_path):
    """A Git repository with a program."""
    repository = tmp_path / "code"
    repository.mkdir()
    (repository / "work.py").write_text(
        "import os, pathlib, sys\n"
        "print('working <hard>')\n"
        "if 'fail' in sys.argv: sys.exit('it is broken')\n"
        "results = pathlib.Path(os.environ['GAZELINE_RESULTS'])\n"
        "(results / 'answer.txt').write_text('42')\n"
    )
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-C", str(repository)]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Work"]):
        subprocess.run([*git, *arguments], check=True)
    return {
        "name": "Work",
        "repository": repository.as_uri(),
        "script": "work.py",
        "limits": {"hours": 0.1, "attempts": 1},
    }


def test_a_job_is_quoted_submitted_followed_and_its_results_are_here(lab, work, capsys):
    assert lab.quote(work)["choice"]["do"] == "ask"
    job = lab.submit(work)
    assert repr(job).startswith(f"<Job {job.id}: ")
    assert job.follow(every=0.5).state == "succeeded"
    output = capsys.readouterr().out
    assert "working <hard>" in output
    assert "succeeded" in output
    assert "working <hard>" in lab.job(job.id).logs()
    folder = job.results()
    assert folder == Path("processing") / "jobs" / job.id / "results"
    assert (folder / "answer.txt").read_text() == "42"
    assert job.id in [one.id for one in lab.jobs()]


def test_a_job_that_fails_says_so(lab, work):
    job = lab.submit(work, arguments=["fail"])
    with pytest.raises(gazeline.GazelineError, match="failed"):
        job.follow(every=0.5)
    assert "it is broken" in job.logs()
    with pytest.raises(gazeline.NotFound, match="has no results"):
        job.results()


def test_a_job_that_is_wrong_is_told_line_by_line(lab):
    with pytest.raises(gazeline.ApiError, match="(?s)repository.*scrip"):
        lab.submit(name="Wrong", scrip="work.py")


def test_what_is_spent_is_told_in_words(lab):
    try:
        cost = lab.cost()
    except gazeline.NotFound as nothing:
        assert "Nothing is counted yet" in str(nothing)
    else:
        assert "an hour" in repr(cost)


def test_the_folder_can_be_installed(tmp_path):
    # Of a copy: nothing is left beside the sources.
    copy = tmp_path / "notebooks"
    subprocess.run(["cp", "-r", str(root / "notebooks"), str(copy)], check=True)
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(copy)], check=True)
    code = "import gazeline, importlib.metadata as m; print(gazeline.__file__, m.version('gazeline') == gazeline.__version__)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(target)}, capture_output=True, text=True)
    assert done.stdout.split() == [str(target / "gazeline" / "__init__.py"), "True"], done.stderr


def test_an_export_is_in_a_shared_drive(lab, local, study):
    study.put("a.csv", b"1", "derived")
    study.put("deep/b.csv", b"2", "derived")
    drive = requests.post(
        f"{local.cloud}/drive/v3/drives?requestId={study.prefix}",
        json={"name": "Lab"},
        headers={"Authorization": "Bearer x"},
    ).json()["id"]
    export = lab.export(study.prefix, drive).wait(every=0.3)
    assert export.record["counts"] == {"exported": 2}
    assert export.id in [one.id for one in lab.exports()]
    assert "2 files, 2 bytes: 2 exported" in repr(export)
    with pytest.raises(gazeline.ApiError):
        lab.export(study.prefix, "no-such-folder")


def test_an_export_is_cancelled_and_one_that_cannot_be_read_hides_no_other(lab, local, study):
    for number in range(100):
        study.put(f"{number}.csv", b"1", "derived")
    drive = requests.post(
        f"{local.cloud}/drive/v3/drives?requestId={study.prefix}",
        json={"name": "Lab"},
        headers={"Authorization": "Bearer x"},
    ).json()["id"]
    export = lab.export(study.prefix, drive).cancel()
    assert export.is_over and "cancelled" in repr(export)
    with pytest.raises(gazeline.GazelineError, match="was cancelled: .* cancelled it"):
        export.wait()
    done = lab.export(f"{study.prefix}1.csv", drive).wait(every=0.3)
    with pytest.raises(gazeline.ApiError, match=r"is over \(done\): there is nothing to cancel"):
        done.cancel()
    assert {export.id, done.id} <= {one.id for one in lab.exports()}


@pytest.mark.parametrize("what", ["export", "job", "session", "annotation"])
def test_a_record_that_cannot_be_read_is_told_by_a_warning(lab, local, what):
    name = f"{what}s/{what}-00000000dead.json"
    bucket = "derived" if what == "annotation" else "state"
    local.put(name, b"{}", bucket)
    try:
        with pytest.warns(UserWarning, match=f"The {what} .*dead.* cannot be read: .* not a record as expected") as told:
            getattr(lab, f"{what}s")()
        assert {one.filename for one in told} == {__file__}
    finally:
        local.remove(name, bucket)


def test_a_session_is_started_stopped_and_deleted(lab, work, tmp_path):
    with pytest.raises(gazeline.NotFound, match="Start one"):
        lab.session("mine")
    session = lab.session("mine", accelerators=["cpu:2"], repository=work["repository"], disk=20)
    session.wait("running", every=0.5, most=120)
    assert "an hour" in repr(session)
    # The cell can be run again.
    assert lab.session("mine", accelerators=["cpu:2"]).state == "running"
    assert [one.name for one in lab.sessions()] == ["mine"]
    ends = session.record["endsAt"]
    assert session.prolong(2).record["endsAt"] > ends
    with pytest.raises(gazeline.ApiError, match="a week from now at the most"):
        session.prolong(168)
    session.stop().wait("stopped", every=0.5, most=120)
    assert "its disks cost $" in repr(session)
    with pytest.raises(gazeline.ApiError, match="disk=delete"):
        session.delete()
    session.delete(disk="delete").wait("deleted", every=0.5, most=120)


def test_a_session_that_is_wrong_is_told(lab):
    with pytest.raises(gazeline.ApiError, match="a session has no TPU"):
        lab.session("wrong", accelerators=["v5litepod-4"])
