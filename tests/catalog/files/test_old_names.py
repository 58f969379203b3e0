"""Settings that had another name are read under both, with a warning."""

from custom_events.catalog.files import folder
from custom_events.conditions.problems import Severity
from custom_events.values.definitions import ConversionExtras
from tests.catalog.files.conftest import Write

PAID = "name: X\ntrigger: [order.paid]\n"


def test_an_old_name_of_a_setting_is_read_and_warned_about(rules: Write) -> None:
    entry = "name: One\nplatform: custom\nassignments:\n- {definition: x1, label: a, tell: {customer_type: true}}\n"
    read = folder.read(rules(**{"definitions/x1": PAID + "tell: {app_sources: [mobile]}\n", "sites/s1": entry}))
    assert [(one.file, one.line, one.path, one.severity) for one in read.findings] == [
        ("definitions/x1.yaml", 3, "tell", Severity.WARNING),
        ("sites/s1.yaml", 4, "assignments[0].tell", Severity.WARNING),
    ]
    assert read.catalog.definitions["x1"].extra_data.app_sources == ("mobile",)
    assert read.catalog.sites["s1"].assignments[0].extra_data == ConversionExtras(customer_type=True)
    assert folder.texts(read.catalog)["definitions/x1.yaml"].endswith("extra_data:\n  app_sources: [mobile]\n")


def test_a_setting_under_both_names_is_an_error(rules: Write) -> None:
    read = folder.read(rules(**{"definitions/x1": PAID + "tell: {}\nextra_data: {}\n"}))
    errors = [one.path for one in read.findings if one.severity is Severity.ERROR]
    assert errors == ["tell"]
