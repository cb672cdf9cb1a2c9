"""Objects of a bucket, and the addresses that their bytes are read from."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gazeline.api import Api


@dataclass(frozen=True)
class Object:
    """One generation of an object."""

    bucket: str
    name: str
    generation: str
    size: int
    # base64; an object that was composed of others has none.
    md5: str | None
    crc32c: str

    @classmethod
    def of(cls, bucket: str, item: dict[str, Any]) -> Object:
        return cls(bucket, item["name"], item["generation"], item["size"], item.get("md5"), item["crc32c"])

    def has_same_bytes(self, other: Any) -> bool:
        if self.size != other.size:
            return False
        return self.md5 == other.md5 if self.md5 and other.md5 else self.crc32c == other.crc32c


def digest_of(objects: Iterable[Object]) -> str:
    """The sum of a manifest of these objects, as the API makes it."""
    digest = hashlib.sha256()
    for one in sorted(objects, key=lambda one: one.name):
        line = [one.name, one.generation, one.size, one.md5, one.crc32c]
        digest.update(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


class SignedUrls:
    """Addresses for objects in the order in which they will be needed, asked for by the hundred.

    They are as good as a password for some minutes, so they are shown to nobody. When one has ended, it and those that
    come after are asked for anew.
    """

    def __init__(self, api: Api, objects: list[Object]):
        self._api = api
        self._objects = objects
        self._places = {one: place for place, one in enumerate(objects)}
        self._urls: dict[Object, str] = {}
        self._over: set[Object] = set()
        self._turn = threading.Lock()
        self._end = 0
        # The first come soon.
        self._most = 50

    def of(self, one: Object) -> str:
        place = self._places[one]
        while True:
            is_there = one in self._urls
            if is_there and (self._end - place > self._most or self._end == len(self._objects)):
                break
            # One asks for those that come next, while the others have enough to do.
            if not self._turn.acquire(blocking=not is_there):
                break
            try:
                if one not in self._urls:
                    self._sign(min(place, self._end))
                elif self._end - place <= self._most and self._end < len(self._objects):
                    self._sign(self._end)
            finally:
                self._turn.release()
        return self._urls[one]

    def renew(self, one: Object, old: str) -> None:
        with self._turn:
            # Unless somebody has done it already.
            if self._urls.get(one) == old:
                # All that were asked for before it have ended as well.
                self._sign(min(self._places[other] for other in list(self._urls)))

    def forget(self, one: Object) -> None:
        """It is not needed any more."""
        self._over.add(one)
        self._urls.pop(one, None)

    def _sign(self, place: int) -> None:
        left = (one for one in islice(self._objects, place, None) if one not in self._over)
        some = list(islice(left, self._most))
        self._most = min(500, self._most * 2)
        objects = [{"name": other.name, "generation": other.generation} for other in some]
        body = {"action": "read", "bucket": some[0].bucket, "objects": objects}
        answer = self._api.post("/v1/signed-urls", body, is_done_again=True)
        self._urls.update(zip(some, (item["url"] for item in answer["items"]), strict=True))
        self._end = max(self._end, self._places[some[-1]] + 1)
