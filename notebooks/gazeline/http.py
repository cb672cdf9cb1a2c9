"""Connections for the bytes themselves: straight to the bucket, many at a time."""

from __future__ import annotations

import logging
import os
import re
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

# What requests is made of: for small files it takes half the time.
connection_errors = (urllib3.exceptions.HTTPError, OSError)


def pool_for(url: str, connections: int) -> urllib3.PoolManager:
    """Through the proxy that the environment names, and with its certificates, as requests would."""
    _hide_secrets()
    options = {
        "maxsize": connections,
        "block": True,
        "timeout": urllib3.Timeout(connect=10, read=60),
        "ca_certs": os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or requests.certs.where(),
    }
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def request(pool: urllib3.PoolManager, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
    """Asks for the address as it is: urllib3 would take the `..` out of one, and ask for another object.

    Without repetitions or redirects, which would take what the address holds elsewhere.
    """
    parts = urlsplit(url)
    options = {**options, "redirect": False, "retries": False}
    if pool.proxy and parts.scheme == "http":
        return pool.urlopen(method, url, **options)
    connections = pool.connection_from_host(parts.hostname, parts.port, parts.scheme)
    return connections.urlopen(method, f"{parts.path}?{parts.query}", **options)


class _WithoutSecrets(logging.Filter):
    """At the level DEBUG, urllib3 writes down addresses, and the signature of one is as good as a password."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"((?:X-Goog-Signature|upload_id)=)[^&\s]+", r"\1…", one) if isinstance(one, str) else one
                for one in record.args
            )
        return True


_without_secrets = _WithoutSecrets()


def _hide_secrets() -> None:
    # A second time it is not added.
    logging.getLogger("urllib3.connectionpool").addFilter(_without_secrets)
