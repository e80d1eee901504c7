"""What a platform or registrar asks for to take an impostor down: who, what, when, and hashes.

The hash of each post is that of its record as JSON with sorted keys, without spaces, in UTF-8;
whoever holds the pack can compute it again.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import msgspec

from alerts.playbook.records import Bilingual
from alerts.playbook.text import defang
from alerts.records import Alert, rfc3339
from alerts.show.page import environment
from models.records import Evidence

_HASH_RULE = "SHA-256 of the record as JSON: keys sorted, no spaces, UTF-8"


class PackError(Exception):
    """The alert is not about an impostor."""


class Pack(NamedTuple):
    """The files of an evidence pack, by name."""

    files: dict[str, bytes]


def hash_of(post: Evidence) -> str:
    """Hash of a post's record, as the pack tells how to compute it."""
    plain = msgspec.to_builtins(post)
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def evidence_pack(alert: Alert, brand: Bilingual) -> Pack:
    """Make the pack of an impostor's alert: JSON, a page to print, and sums of both.

    Parameters
    ----------
    alert : Alert
    brand : Bilingual
        Name of the brand.

    Raises
    ------
    PackError
        If the alert is not about an impostor.
    """
    seen = alert.impostor
    if seen is None:
        raise PackError(f"{alert.id} is about no impostor: there is nothing to take down")
    in_time = sorted(alert.evidence, key=lambda post: (post.published_ms, post.id))
    posts = [(post, hash_of(post)) for post in in_time]
    document: dict[str, Any] = {
        "alert": alert.id,
        "brand": {"id": alert.brand, "ar": brand.ar, "en": brand.en},
        "type": alert.type,
        "suspect": seen,
        "first_seen": rfc3339(seen.first_ms),
        "last_seen": rfc3339(seen.last_ms),
        "title": alert.title,
        "observed": alert.explanation.observed,
        "reasons": alert.explanation.reasons,
        "reports": [m for m in alert.playbook.messages if m.kind == "report"],
        "hash_rule": _HASH_RULE,
        "posts": [{"sha256": sha256, "record": post} for post, sha256 in posts],
    }
    files = {"evidence.json": msgspec.json.format(msgspec.json.encode(document), indent=2)}
    page = (
        environment()
        .get_template("pack.html.j2")
        .render(
            alert=alert,
            seen=seen,
            brand=brand,
            posts=posts,
            times=(rfc3339(seen.first_ms), rfc3339(seen.last_ms)),
            created=rfc3339(seen.created_ms) if seen.created_ms else None,
            published={post.id: rfc3339(post.published_ms) for post, _ in posts},
            reports=document["reports"],
            json_sum=hashlib.sha256(files["evidence.json"]).hexdigest(),
            defang=defang,
        )
    )
    files["evidence.html"] = page.encode("utf-8", "backslashreplace")
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    files["SHA256SUMS"] = "".join(sums).encode()
    return Pack(files)
