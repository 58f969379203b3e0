#!/usr/bin/env bash
# dagster 1.13.27, Python 3.11: an AssetSpec without deps can be pickled, and read again as an equal one. With one dep pickle.dumps still
# writes it without a word, and only pickle.loads raises "AssetDep.__new__() takes 2 positional arguments but 4 were given"; copy.copy of
# the dep and copy.deepcopy of the spec raise the same. Who keeps what dagster-dbt makes of a manifest (to spare every process the import
# of dbt) has a cache that is written well and can never be read, as every model depends on something.
# Seen: dumps gives bytes, loads and deepcopy raise TypeError; without deps loads gives an equal spec.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27
"$folder/venv/bin/python" - <<'PYTHON'
import copy
import pickle

import dagster as dg


def raised(call, *arguments):
    try:
        call(*arguments)
    except TypeError as error:
        return str(error)
    return None


alone, dependent = dg.AssetSpec("orders"), dg.AssetSpec("orders", deps=["raw_events"])
print(f"dagster {dg.__version__}: without deps read again as an equal one: {pickle.loads(pickle.dumps(alone)) == alone}")
written = pickle.dumps(dependent)
said = {"loads": raised(pickle.loads, written), "deepcopy": raised(copy.deepcopy, dependent)}
print(f"with a dep {len(written)} bytes are written; reading and copying: {said}")
assert pickle.loads(pickle.dumps(alone)) == alone, "a spec without deps is not read again as an equal one"
assert all(one and "AssetDep.__new__()" in one for one in said.values()), "a spec with deps can be read or copied now"
PYTHON
