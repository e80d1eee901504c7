"""A configuration of the companies in ../shared/data/mentions/brands.csv.

``python -m tests.acceptance.stocknet BRANDS.csv > nadhir.yaml``
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


def configuration(brands: Path) -> dict[str, object]:
    """Brands by cashtag and by name without its legal form."""
    with brands.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {"brands": [_brand(row["ticker"], row["company"]) for row in rows]}


def _brand(ticker: str, company: str) -> dict[str, object]:
    name = _LEGAL.sub("", company.split("(")[0]).strip(" ,.&")
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
    print(json.dumps(configuration(Path(sys.argv[1])), indent=1))
