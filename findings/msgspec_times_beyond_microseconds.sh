#!/usr/bin/env bash
# msgspec 0.22.0, Python 3.11: a time with more than six digits of a second is ROUNDED when it is decoded, also into the next day and
# the next year, while datetime.fromisoformat of the standard library CUTS the same text. Shopify's X-Shopify-Triggered-At has nine
# digits. Two programs that read one delivery, one with each, put it into different days; a revision "valid until the 31st" then
# takes it in one and not in the other.
# Seen: msgspec gives 2027-01-01 00:00:00+00:00 for 2026-12-31T23:59:59.999999900Z, fromisoformat 2026-12-31 23:59:59.999999+00:00.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime

import msgspec

text = "2026-12-31T23:59:59.999999900Z"
decoded = msgspec.json.decode(f'"{text}"'.encode(), type=datetime)
parsed = datetime.fromisoformat(text)
print(f"msgspec {msgspec.__version__}: {decoded}; fromisoformat: {parsed}")
assert decoded == datetime(2027, 1, 1, tzinfo=UTC), "msgspec does not round into the next year any more"
assert parsed == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "fromisoformat does not cut any more"
PYTHON
