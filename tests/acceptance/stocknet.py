"""A configuration of the companies in ../shared/data/mentions/brands.csv.

``python -m tests.acceptance.stocknet BRANDS.csv [--official] > nadhir.yaml``; with ``--official``
each company has its first word as its handle and its name and ticker as domains, which we made up,
so that impostors can be told.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

_LEGAL = re.compile(
    r",?\s+(Inc|Incorporated|Corporation|Corp|Company|Co|Ltd|Limited|plc|PLC|S\.?A|N\.?V|AG|SE|Group"
    r"|Holdings?|The|& Co|L\.?P|LLC)\.?(?=\s|,|$|\))",
    re.IGNORECASE,
)


def configuration(brands: Path, *, official: bool = False) -> dict[str, object]:
    """Brands by cashtag and by name without its legal form."""
    with brands.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = [_brand(row["ticker"], row["company"]) for row in rows]
    if official:
        taken: set[str] = set()
        for brand, row in zip(made, rows):
            _add_official(brand, row["ticker"], _short(row["company"]), taken)
    return {"brands": made}


def _add_official(brand: dict[str, object], ticker: str, name: str, taken: set[str]) -> None:
    words = [w for w in re.split(r"[^a-z0-9]+", name.lower()) if w and w != "the"]
    domains = [f"{''.join(words)}.com", f"{brand['id']}.com"]
    brand["names"] = [f"${ticker}", name]
    brand["handles"] = [w for w in words[:1] if w not in taken]
    brand["domains"] = [d for d in dict.fromkeys(domains) if d not in taken]
    taken.update(words[:1], domains)


def _short(company: str) -> str:
    return _LEGAL.sub("", company.split("(")[0]).strip(" ,.&")


def _brand(ticker: str, company: str) -> dict[str, object]:
    name = _short(company)
    # one-word names such as Visa or Apple are also ordinary words: here the cashtag decides
    keywords = [name] if " " in name else []
    return {
        "id": re.sub(r"[^a-z0-9]+", "-", ticker.lower()).strip("-"),
        "names": [f"${ticker}"],
        "keywords": keywords,
        "languages": ["en"],
        "timezone": "America/New_York",
        "weekend": ["sat", "sun"],
    }


if __name__ == "__main__":
    made = configuration(Path(sys.argv[1]), official="--official" in sys.argv)
    print(json.dumps(made, indent=1))
