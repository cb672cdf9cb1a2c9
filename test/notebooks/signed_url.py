"""A signed URL of Cloud Storage, version 4, that ended some time ago.

https://cloud.google.com/storage/docs/authentication/signatures
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlsplit

from google.auth.crypt import RSASigner


def expired_url(local, bucket: str, name: str, generation: str) -> str:
    key = json.loads(local.key_file.read_text())
    at = (datetime.now(timezone.utc) - timedelta(hours=1)).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{at[:8]}/auto/storage/goog4_request"
    path = f"/{bucket}/{quote(name)}"
    query = {
        "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
        "X-Goog-Credential": f"{key['client_email']}/{scope}",
        "X-Goog-Date": at,
        "X-Goog-Expires": "900",
        "X-Goog-SignedHeaders": "host",
        "generation": generation,
    }
    written = "&".join(f"{quote(field, safe='')}={quote(query[field], safe='')}" for field in sorted(query))
    host = urlsplit(local.cloud).netloc
    canonical = "\n".join(["GET", path, written, f"host:{host}\n", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = RSASigner.from_service_account_info(key).sign(f"GOOG4-RSA-SHA256\n{at}\n{scope}\n{digest}".encode())
    return f"{local.cloud}{path}?{written}&X-Goog-Signature={signature.hex()}"
