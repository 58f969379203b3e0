"""S3-compatible storage, against a server that speaks it."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.report_delivery import s3
from custom_events.report_delivery.checking import check
from custom_events.report_delivery.delivering import deliver
from custom_events.report_delivery.targets import DeliverySecrets, S3Target
from custom_events.report_files.table import MEDIA_TYPES, WrittenFile
from custom_events.settings import Settings
from tests.report_delivery.conftest import MESSAGE, NAME

SECRETS = DeliverySecrets(access_key_id="test", secret_access_key="a-key-of-the-tests")


def test_an_object_is_whole_and_once_under_one_key(
    storage: str, bucket: Any, file: WrittenFile, settings: Settings
) -> None:
    target = S3Target(bucket=bucket.name, prefix="reports/sales/", endpoint=storage, region="us-east-1")
    first = deliver(target, file, MESSAGE, SECRETS, settings)
    assert deliver(target, file, MESSAGE, SECRETS, settings) == first
    assert first.where == f"s3://{bucket.name}/reports/sales/{NAME}"
    (key,) = [one.key for one in bucket.objects.all()]
    found = bucket.Object(key).get()
    assert found["Body"].read() == file.path.read_bytes()
    assert found["Metadata"] == {"sha256": file.sha256}
    assert found["ContentType"] == "text/csv"


def test_a_large_file_goes_in_parts(
    storage: str, bucket: Any, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = 5 * 1024 * 1024  # that a part may have
    monkeypatch.setattr(s3, "PART_BYTES", least)
    path = tmp_path / "large.parquet"
    path.write_bytes(bytes(range(256)) * (3 * least // 256))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    large = WrittenFile(
        path=path,
        file_format="parquet",
        rows=1,
        bytes=3 * least,
        sha256=digest,
        media_type=MEDIA_TYPES["parquet"],
    )
    deliver(S3Target(bucket=bucket.name, endpoint=storage), large, MESSAGE, SECRETS, settings)
    (key,) = [one.key for one in bucket.objects.all()]
    found = bucket.Object(key).get()
    assert found["ETag"].strip('"').endswith("-3")
    assert hashlib.sha256(found["Body"].read()).hexdigest() == digest


def test_a_bucket_that_is_not_there_is_for_a_person(storage: str, file: WrittenFile, settings: Settings) -> None:
    with pytest.raises(NeedsAction, match="does not let the bucket no-such-bucket be written") as raised:
        deliver(S3Target(bucket="no-such-bucket", endpoint=storage), file, MESSAGE, SECRETS, settings)
    assert "a-key" not in str(raised.value)


def test_nobody_there(closed_port: int, file: WrittenFile, settings: Settings) -> None:
    target = S3Target(bucket="reports", endpoint=f"http://127.0.0.1:{closed_port}")
    with pytest.raises(Transient, match="did not take the file"):
        deliver(target, file, MESSAGE, SECRETS, settings)


def test_a_name_is_called_where_it_was_looked_at(
    storage: str, bucket: Any, file: WrittenFile, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(storage.rpartition(":")[2])
    monkeypatch.setattr("custom_events.report_delivery.addresses.resolve", lambda *_: ("127.0.0.1",))
    target = S3Target(bucket=bucket.name, endpoint=f"http://storage:{port}")
    deliver(target, file, MESSAGE, SECRETS, settings)
    assert len(list(bucket.objects.all())) == 1


def test_storage_of_the_inside_is_refused(storage: str, file: WrittenFile, settings: Settings) -> None:
    strict = settings.model_copy(update={"report_private_addresses": False})
    with pytest.raises(InvalidConfiguration, match="of this machine or of a private network"):
        check(S3Target(bucket="reports", endpoint=storage), strict)
    monkey = S3Target(bucket="reports", endpoint="https://169.254.169.254")
    with pytest.raises(NeedsAction, match="of this machine or of a private network"):
        s3.deliver_to_s3(monkey, file, MESSAGE, SECRETS, strict)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"bucket": "Reports"}, "bucket"),
        ({"bucket": "a/b"}, "bucket"),
        ({"prefix": "/a"}, "prefix"),
        ({"prefix": "a/../b"}, "prefix"),
        ({"prefix": "a\nb"}, "prefix"),
        ({"region": "EU 1"}, "region"),
        ({"endpoint": "storage.example"}, "endpoint"),
    ],
)
def test_what_is_wrong_is_named(settings: Settings, given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidConfiguration) as raised:
        check(S3Target(**{"bucket": "reports", **given}), settings, SECRETS)
    assert [fault.path for fault in raised.value.faults] == [path]


def test_both_keys_are_needed(settings: Settings) -> None:
    check(S3Target(bucket="reports"), settings, SECRETS)
    with pytest.raises(InvalidConfiguration) as raised:
        check(S3Target(bucket="reports"), settings, DeliverySecrets())
    assert [fault.path for fault in raised.value.faults] == ["access_key_id", "secret_access_key"]
