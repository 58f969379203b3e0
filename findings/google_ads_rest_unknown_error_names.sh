#!/usr/bin/env bash
# google-ads-datamanager 0.9.4 (proto-plus, protobuf 7): an enum NAME that the installed client does not know, as a newer server may
# send it in JSON, is not kept and no error is raised: with ignore_unknown_fields, which the generated REST transport sets, the field
# reads as 0, the UNSPECIFIED member, while the fields beside it are kept. The same value as a NUMBER, which is what gRPC carries,
# stays readable as that number. So over REST "a reason that this client does not know" and "no reason" are the same.
# Seen: the count beside the unknown reason is 7, the reason is PROCESSING_ERROR_REASON_UNSPECIFIED; by number 999 is kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check google-ads-datamanager==0.9.4 protobuf==7.36.2
"$folder/venv/bin/python" - <<'PYTHON'
from google.ads import datamanager_v1
from google.protobuf import json_format

counts = datamanager_v1.ErrorInfo
message = counts.pb(counts())
json_format.Parse(
    '{"errorCounts": [{"recordCount": "7", "reason": "PROCESSING_ERROR_REASON_OF_NEXT_YEAR"}]}',
    message,
    ignore_unknown_fields=True,
)
by_name = message.error_counts[0]
message_by_number = counts.pb(counts())
json_format.Parse('{"errorCounts": [{"recordCount": "7", "reason": 999}]}', message_by_number, ignore_unknown_fields=True)
by_number = message_by_number.error_counts[0]
print(f"by name: {by_name.record_count} of reason {by_name.reason}; by number: {by_number.record_count} of reason {by_number.reason}")
assert (by_name.record_count, by_name.reason) == (7, 0), "an unknown name is kept, or refused, now"
assert (by_number.record_count, by_number.reason) == (7, 999), "an unknown number is not kept any more"
PYTHON
