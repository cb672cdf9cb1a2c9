"""Requests to the lab's API."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import requests.auth

from gazeline.errors import ApiError, NotAllowed, NotConnected, NotFound

# A deployment that starts from nothing takes some seconds; a busy one says when to come back.
_attempts = 7
_again = {429, 500, 502, 503, 504}


class Api:
    """The API at one address, asked as one person."""

    def __init__(self, url: str, token: Callable[[bool], str]):
        """@param token gives an ID token for this address; with True, a new one"""
        self.url = url.rstrip("/")
        check_address(self.url)
        self._session = requests.Session()
        self._session.auth = _Identity(token)

    def __repr__(self) -> str:
        return f"<Api {self.url}>"

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, query=query).json()

    def post(self, path: str, body: Any = None, *, is_done_again: bool = False) -> Any:
        """@param is_done_again nothing comes of it, so that it needs no key"""
        return self._call("POST", path, body={} if body is None else body, has_key=not is_done_again).json()

    def delete(self, path: str, **query: Any) -> Any:
        answer = self._call("DELETE", path, query=query)
        return answer.json() if answer.content else None

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Everything of a list, page after page."""
        for page in self.pages(path, **query):
            yield from page["items"]

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        query = {"pageSize": 1000, **query}
        while True:
            page = self.get(path, **query)
            yield page
            if not page.get("nextPageToken"):
                return
            query["pageToken"] = page["nextPageToken"]

    def _call(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, has_key: bool = True
    ):
        headers = {"Accept": "application/json"}
        data = None
        if method != "GET" and has_key:
            # With its key, a write that is sent again is not done again.
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        params = {key: value for key, value in (query or {}).items() if value is not None}
        for attempt in range(1, _attempts + 1):
            is_last = attempt == _attempts
            try:
                # A redirect would take the token elsewhere.
                answer = self._session.request(
                    method,
                    self.url + path,
                    params=params,
                    data=data,
                    headers=headers,
                    timeout=(10, 120),
                    allow_redirects=False,
                )
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                if is_last:
                    why = (
                        "it did not answer in time" if isinstance(error, requests.Timeout) else "there is no connection"
                    )
                    raise NotConnected(
                        f"The lab at {self.url} cannot be reached: {why}. Is the network there"
                        f"{', and does npm start run' if '127.0.0.1' in self.url else ''}?"
                    ) from None
                answer = None
            if answer is not None and answer.status_code == 401 and attempt == 1:
                # It may have ended on its way.
                self._session.auth.renew()
                continue
            if answer is None or (answer.status_code in _again and not is_last):
                time.sleep(wait_before(attempt, answer.headers.get("Retry-After") if answer is not None else None))
                continue
            if not 200 <= answer.status_code < 300:
                raise _error_of(answer, self.url)
            return answer


class _Identity(requests.auth.AuthBase):
    def __init__(self, token: Callable[[bool], str]):
        self._token = token
        self._is_old = False

    def renew(self) -> None:
        self._is_old = True

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token, self._is_old = self._token(self._is_old), False
        # Cloud Run checks the second, and takes the signature off what it has checked; the function checks the first.
        # https://cloud.google.com/run/docs/authenticating/service-to-service#acquire-token
        request.headers["Authorization"] = f"Bearer {token}"
        request.headers["X-Serverless-Authorization"] = f"Bearer {token}"
        return request


def check_address(url: str) -> None:
    """The token is the person: it is sent to nobody who could be somebody else."""
    host = urlsplit(url)
    if host.scheme != "https" and host.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise NotConnected(f"{url} is not an address that begins with https://")


def wait_before(attempt: int, retry_after: str | None = None) -> float:
    """Seconds: twice as long each time, up to 32, and as long as was asked for. Some luck keeps the many apart."""
    asked = float(retry_after) if retry_after and retry_after.isdigit() else 0
    return min(asked, 120) + min(32, 0.25 * 2**attempt) * random.uniform(0.5, 1)


def encoded(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


def _error_of(answer: requests.Response, url: str) -> ApiError | NotFound:
    try:
        problem = answer.json()
        title, detail = str(problem.get("title", "")), str(problem.get("detail", ""))
        issues = [
            f"  {issue.get('path')}: {issue.get('message')}"
            for issue in problem.get("errors") or []
            # Said already.
            if issue.get("message") != detail
        ]
    except (ValueError, AttributeError):
        # Before the function itself, Cloud Run answers in HTML.
        title, detail, issues = answer.reason or "", "", []
    words = "\n".join([detail or title or f"status {answer.status_code}", *issues])
    if answer.status_code == 401:
        return NotAllowed(f"The lab at {url} does not accept who you are. Sign in again: lab = gazeline.connect()", 401)
    if answer.status_code == 403:
        if not detail:
            # Not the function's own words, but those of Cloud Run before it.
            words = "You may not call the API: ask whoever looks after the lab to let your caller account do so."
        return NotAllowed(words, 403)
    if answer.status_code == 404:
        return NotFound(words)
    return ApiError(words, answer.status_code)
