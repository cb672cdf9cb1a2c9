from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from gazeline.names import FileSystem, paths_of
from test_pull import tree

linux = FileSystem(folds_case=False, folds_unicode=False, is_windows=False)
mac = FileSystem(folds_case=True, folds_unicode=True, is_windows=False)
windows = FileSystem(folds_case=True, folds_unicode=False, is_windows=True)
nfc, nfd = (unicodedata.normalize(form, "münchen.tsv") for form in ("NFC", "NFD"))

hostile = [
    "../../outside.txt",
    "/absolute.txt",
    "..",
    ".",
    "a/../../../b",
    "a//b",
    "a/./b",
    "trailing/../",
    "C:/windows.txt",
    "\\\\server\\share\\x",
    "con",
    "NUL.txt",
    "dir/lpt1",
    "ends with a dot.",
    "ends with a space ",
    'what?"<is>|this*.png',
    "bell\x07.txt",
    "null\x00.txt",
    ".gazeline/lock",
    ".GAZELINE/pulled.jsonl",
    "é" * 400 + ".tsv",
    "x" * 300,
    "file",
    "file/and folder",
    nfc,
    nfd,
    "Case.txt",
    "case.TXT",
    "%2E%2E/outside.txt",
    "-rf",
    "~",
    "🧿.png",
]


@pytest.mark.parametrize("system", [linux, mac, windows])
def test_no_name_leads_out_of_the_folder_and_no_two_meet(system):
    paths = paths_of(hostile, system)
    assert paths.keys() == {name for name in hostile if not name.endswith("/")}
    for path in paths.values():
        parts = path.split("/")
        assert not {"", ".", ".."} & set(parts), path
        assert all(len(part.encode()) <= 255 for part in parts)
        assert not path.casefold().startswith(".gazeline")
        assert "\x00" not in path
        if system.is_windows:
            assert not set('\\:*?"<>|\x07') & set(path)
            assert all(part[-1] not in ". " for part in parts)
            assert not {part.split(".")[0].casefold() for part in parts} & {"con", "nul", "lpt1"}
    keys = [system.key(path) for path in paths.values()]
    assert len(set(keys)) == len(keys)
    folders = {
        system.key("/".join(path.split("/")[:depth]))
        for path in paths.values()
        for depth in range(1, path.count("/") + 1)
    }
    assert not folders & set(keys)


def test_an_ordinary_name_is_its_path():
    names = ["recordings/p01.tsv", "stimuli/second session/poster again.png", "50% off.png", "ä/ö.txt", ".hidden"]
    for system in (linux, mac, windows):
        assert paths_of(names, system) == {name: name for name in names}


def test_of_two_names_that_are_one_file_the_first_has_it():
    paths = paths_of(["Case.txt", "case.txt"], mac)
    assert paths["Case.txt"] == "Case.txt"
    assert paths["case.txt"].startswith("case~") and paths["case.txt"].endswith(".txt")
    assert paths_of(["case.txt", "Case.txt"], mac) == paths


def test_a_file_that_is_a_folder_as_well_gives_way():
    paths = paths_of(["a", "a/b"], linux)
    assert paths["a/b"] == "a/b"
    assert paths["a"].startswith("a~")


def test_somebody_who_foresees_a_hash_gains_nothing():
    first = paths_of(["a", "a/b"], linux)["a"]
    paths = paths_of(["a", "a/b", first, f"{first}/c"], linux)
    assert len(set(paths.values())) == 4


def test_what_a_folder_folds_is_tried_out(tmp_path):
    (tmp_path / ".gazeline").mkdir()
    system = FileSystem.of(tmp_path)
    (tmp_path / "Probe").touch()
    assert system.folds_case == (tmp_path / "pROBE").exists()
    assert list((tmp_path / ".gazeline").iterdir()) == []


def test_hostile_names_of_a_real_bucket(lab, study):
    # Some are hostile as whole names only, which a prefix would change.
    names = [name for name in hostile if name not in (".", "..") and not name.endswith("/")]
    names = [name for name in names if len((study.prefix + name).encode()) <= 1024 and "\x00" not in name]
    for name in names:
        study.put(name, name.encode())
    pulled = lab.pull(study.prefix)
    assert pulled.files == len(names)
    assert sorted(tree(Path("processing")).values()) == sorted(name.encode() for name in names)
    assert not (Path.cwd().parent / "outside.txt").exists()
    assert lab.pull(study.prefix).transferred == 0
    renamed = pulled.renamed[f"{study.prefix}../../outside.txt"]
    assert (Path("processing") / renamed).read_bytes() == b"../../outside.txt"
