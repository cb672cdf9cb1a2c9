"""Signing in, wherever a notebook runs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import google.auth
import pytest
from google.auth import iam
from google.oauth2 import credentials as user_credentials

import gazeline
from conftest import until

caller = "caller-ada@gazeline-local.iam.gserviceaccount.com"


@pytest.fixture
def member(local):
    """Ada may read, by her caller account and on a machine of the lab."""
    access = json.loads(local.get("access.json", "state"))
    machine = "machines@gazeline-local.iam.gserviceaccount.com"
    members = {
        caller: {"role": "reader", "person": "ada@lab.edu"},
        machine: {"role": "reader", "person": "bob@lab.edu"},
    }
    local.put("access.json", json.dumps({"members": {**access["members"], **members}}).encode(), "state")
    yield
    local.put("access.json", json.dumps(access).encode(), "state")


@pytest.fixture
def a_person(local, monkeypatch):
    """What `gcloud auth application-default login` leaves; the local cloud stands for Google's credentials API."""
    person = user_credentials.Credentials("ya29.of-the-person")
    monkeypatch.setattr(google.auth, "default", lambda scopes=None: (person, None))
    at_google = iam._IAM_IDTOKEN_ENDPOINT
    local_endpoint = at_google.replace("https://iamcredentials.googleapis.com", local.cloud)
    monkeypatch.setattr(iam, "_IAM_IDTOKEN_ENDPOINT", local_endpoint)


def connected(local, **options):
    """The lab reads anew who may do what every some seconds."""
    found = []

    def try_it() -> bool:
        try:
            found.append(gazeline.connect(local.api, **options))
        except gazeline.NotAllowed:
            return False
        return True

    until(try_it, 30)
    return found[0]


def test_a_laptop_signs_in_by_the_caller_account(local, member, a_person):
    lab = connected(local, caller=caller)
    assert lab.me["email"] == caller
    assert repr(lab) == "<Lab gazeline-local, on this computer: you are ada@lab.edu (reader)>"


def test_colab_asks_the_person_and_reads_secrets(local, member, a_person, monkeypatch):
    asked = []
    colab = types.ModuleType("google.colab")
    colab.auth = types.SimpleNamespace(authenticate_user=lambda: asked.append(1))

    def get(name):
        return {"GAZELINE_API": local.api, "GAZELINE_CALLER": caller}[name]

    colab.userdata = types.SimpleNamespace(get=get)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setattr(google, "colab", colab, raising=False)
    connected(local)
    lab = gazeline.connect()
    assert (lab.me["person"], bool(asked)) == ("ada@lab.edu", True)


def test_a_machine_of_the_lab_is_who_its_metadata_server_says(local, member):
    command = [os.environ.get("GAZELINE_NODE", "node"), "--disable-warning=ExperimentalWarning"]
    script = str(Path(__file__).parent / "metadataServer.ts")
    arguments = [local.cloud, str(local.key_file), local.api]
    with subprocess.Popen(
        [*command, script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        host = server.stdout.readline().strip()
        # google-auth reads these when it is imported. Nothing else tells the notebook where the lab is.
        environment = {**os.environ, "GCE_METADATA_HOST": host, "GCE_METADATA_IP": host, "CLOUDSDK_CONFIG": "/nowhere"}
        environment.pop("GOOGLE_APPLICATION_CREDENTIALS", None)
        code = "import gazeline; print(gazeline.connect())"
        done = []

        def it_is_known() -> bool:
            done.append(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True))
            return "NotAllowed" not in done[-1].stderr

        until(it_is_known, 60)
        server.stdin.close()
    assert "you are bob@lab.edu (reader)" in done[-1].stdout, done[-1].stderr


def test_without_a_lab_it_says_where_one_could_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(gazeline.NotConnected, match="GAZELINE_API"):
        gazeline.connect()
    with pytest.raises(gazeline.NotConnected, match="npm start"):
        gazeline.connect(dir="nowhere")
    with pytest.raises(gazeline.NotConnected, match="https"):
        gazeline.connect("http://lab.example/api", caller=caller)


def test_without_credentials_it_says_how_to_sign_in(monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(gazeline.NotConnected, match="gcloud auth application-default login"):
        gazeline.connect("https://lab.example", caller=caller)


def test_a_person_without_a_caller_account_is_asked_for_one(a_person):
    with pytest.raises(gazeline.NotConnected, match="Which caller account"):
        gazeline.connect("https://lab.example")


def test_somebody_whom_the_lab_does_not_know_is_told(local, a_person):
    with pytest.raises(gazeline.NotAllowed):
        gazeline.connect(local.api, caller="stranger@elsewhere.iam.gserviceaccount.com")
    with pytest.raises(gazeline.NotConnected, match="no such account"):
        gazeline.connect(local.api, caller="nobody@example.org")


def test_a_reader_may_read_and_not_write(local, member, a_person, study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study.put("a.txt", b"1")
    lab = connected(local, caller=caller)
    assert lab.pull(study.prefix).files == 1
    Path("b.txt").write_text("2")
    with pytest.raises(gazeline.NotAllowed, match="role"):
        lab.push("b.txt", study.prefix)


def test_no_token_is_shown(lab, local, study, caplog, capsys, tmp_path):
    caplog.set_level(logging.DEBUG)
    study.put("a.txt", b"1")
    study.put("b.txt", b"2")
    local.fault("status", f"^/raw/{study.prefix}b", status=503)
    token = lab._api._session.auth._token(False)
    with pytest.raises(gazeline.TransferFailed) as failed:
        lab.pull(study.prefix)
    local.forget_faults()
    Path("c.txt").write_text("3")
    lab.push("c.txt", study.prefix)
    shown = [repr(lab), repr(lab._api), repr(vars(lab)), str(failed.value), caplog.text, *capsys.readouterr()]
    for text in shown:
        assert token not in text
        assert "Signature=" not in text.replace("Signature=…", "")
        assert "upload_id=" not in text.replace("upload_id=…", "")
    assert "Signature=…" in caplog.text
    traces = "".join(str(entry) for entry in failed.traceback)
    assert token not in traces


def test_nothing_is_sent_where_a_redirect_points(local, monkeypatch):
    seen = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/stolen")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    Thread(target=server.serve_forever, daemon=True).start()
    from gazeline.api import Api

    api = Api(f"http://127.0.0.1:{server.server_port}", lambda _: "a-token")
    with pytest.raises(gazeline.ApiError):
        api.get("/v1/me")
    assert seen == ["/v1/me"]
    server.shutdown()
