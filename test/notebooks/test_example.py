from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

import gazeline
from conftest import root, until


@pytest.fixture
def annotated(local):
    lab = gazeline.connect(dir=local.folder)
    until(lambda: len(list(lab._api.items("/v1/annotations", prefix="stimuli/"))) >= 8, 180)


def test_the_example_runs_from_top_to_bottom(local, annotated, tmp_path, monkeypatch):
    # As on a laptop beside `npm start`: the lab is found in `lab/`.
    (tmp_path / "lab").symlink_to(local.folder)
    # What Jupyter of this person is set to is of no interest.
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(root / "notebooks" / "example.ipynb", as_version=4)
    nbformat.validate(notebook)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [text_of(cell) for cell in notebook.cells if cell.cell_type == "code"]
    everything = "\n".join(shown)
    assert "<Lab gazeline-local, on this computer" in everything
    assert "8 files" in everything
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 1
    assert "succeeded" in everything
    assert "manifest.json" in everything
    assert "derived/analysis/example/" in everything
    assert '"sha256"' in shown[-1]
    assert local.get("analysis/example/poster.png").startswith(b"\x89PNG")
    # No cell says more than it should.
    for stream in ("Traceback", "Warning", "eyJ", "X-Goog-Signature"):
        assert stream not in everything


def text_of(cell) -> str:
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        texts += [str(value) for kind, value in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(texts)
