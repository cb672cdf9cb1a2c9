"""Who you are for the lab: an ID token for its address alone, which no key is needed for.

An ID token cannot be had for a person, only for a service account; so each member of a lab has a caller account that they
may have tokens of, and the lab knows whose it is. Your own credentials go to Google and nobody else.
https://cloud.google.com/docs/authentication/get-id-token#impersonation
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import google.auth
from google.auth import compute_engine, exceptions, impersonated_credentials
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from gazeline.errors import NotConnected

Token = Callable[[bool], str]

_scopes = ["https://www.googleapis.com/auth/cloud-platform"]


def identity_for(url: str, caller: str | None) -> Token:
    """For a lab at Google, wherever this runs."""
    url = url.rstrip("/")
    if is_colab():
        from google.colab import auth

        # Asks the person in the notebook, once.
        auth.authenticate_user()
    try:
        credentials, _ = google.auth.default(scopes=_scopes)
    except exceptions.DefaultCredentialsError:
        raise NotConnected(
            "There are no credentials of Google on this computer. In a terminal:\n"
            "  gcloud auth application-default login\nand then connect again."
        ) from None
    try:
        return _Tokens(_id_token_credentials(credentials, url, caller), caller)
    except exceptions.GoogleAuthError:
        raise NotConnected("This machine's metadata server does not say who it is. Has it a service account?") from None


def local_identity(environment: dict[str, str]) -> tuple[str, Token]:
    """For a lab that `npm start` runs: with the key file that it has made for itself.

    @returns the address of its API as well
    """
    url, cloud = environment["GAZELINE_API_URL"], environment["GAZELINE_LOCAL_CLOUD"]
    info = json.loads(Path(environment["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())
    credentials = service_account.IDTokenCredentials.from_service_account_info(
        {**info, "token_uri": f"{cloud}/token"}, target_audience=url
    )
    return url, _Tokens(credentials, None)


def is_colab() -> bool:
    if "google.colab" in sys.modules:
        return True
    # `google` is shared by many packages, so it may be there without `google.colab`.
    return importlib.util.find_spec("google.colab") is not None


def _id_token_credentials(credentials, url: str, caller: str | None):
    if caller:
        target = impersonated_credentials.Credentials(
            source_credentials=credentials, target_principal=caller, target_scopes=_scopes
        )
        return impersonated_credentials.IDTokenCredentials(target, target_audience=url, include_email=True)
    if isinstance(credentials, compute_engine.Credentials):
        # The lab's own machine: its service account is in access.json, with the person whose session it is.
        return compute_engine.IDTokenCredentials(Request(), target_audience=url, use_metadata_identity_endpoint=True)
    if isinstance(credentials, impersonated_credentials.Credentials):
        return impersonated_credentials.IDTokenCredentials(credentials, target_audience=url, include_email=True)
    if isinstance(credentials, service_account.Credentials):
        return service_account.IDTokenCredentials(
            credentials.signer, credentials.service_account_email, credentials._token_uri, target_audience=url
        )
    raise NotConnected(
        "Which caller account stands for you? Google gives a person no token for the lab's address, only a service account "
        'that the person may use:\n  gazeline.connect("…", caller="caller-…@….iam.gserviceaccount.com")\n'
        "Whoever looks after the lab has told you its name, or can make one for you."
    )


class _Tokens:
    """Gives the same token until shortly before its end."""

    def __init__(self, credentials, caller: str | None):
        self._credentials = credentials
        self._caller = caller
        self._lock = threading.Lock()

    def __call__(self, renew: bool) -> str:
        with self._lock:
            # `valid` is false some minutes before the token ends.
            if renew or not self._credentials.valid:
                self._refresh()
            return self._credentials.token

    def _refresh(self) -> None:
        try:
            self._credentials.refresh(Request())
        except exceptions.TransportError:
            raise NotConnected("Google's sign-in cannot be reached. Is the network there?") from None
        except exceptions.GoogleAuthError as error:
            # What Google says may be long, and is of no help without knowing what was tried.
            who = self._caller or "the service account of this computer"
            if "PERMISSION_DENIED" in str(error) or "403" in str(error):
                why = (
                    "you may not use it. Whoever looks after the lab can give you the role "
                    "roles/iam.serviceAccountOpenIdTokenCreator on it"
                )
            elif "NOT_FOUND" in str(error) or "404" in str(error):
                why = "there is no such account. Is its name written right?"
            elif "Reauthentication" in str(error) or "invalid_grant" in str(error):
                why = "your own sign-in has ended. Sign in again: gcloud auth application-default login"
            else:
                why = f"Google refused it ({type(error).__name__})"
            raise NotConnected(f"No token could be had as {who}: {why}.") from None
