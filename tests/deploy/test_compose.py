"""compose.yaml and the image's Dockerfile, as far as they can be checked without an engine."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from custom_events.settings import Settings, variable_of
from supervisor.container import OURS

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
TEXT: Final = (DEPLOY / "compose/compose.yaml").read_text()
SERVICES: Final[dict[str, Any]] = yaml.safe_load(TEXT)["services"]
DOCKERFILE: Final = (DEPLOY / "images/Dockerfile").read_text()
ONCE: Final = "migrate"
PINNED: Final = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*$")


def test_it_is_as_the_specification_wants_it() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="there is no wheel for this machine")
    filled = re.sub(r"\$\{\w+:(?:-([^}]*)|\?[^}]*)\}", lambda variable: variable[1] or "given", TEXT)
    project = compose_spec.PyCompose.from_json(json.dumps(yaml.safe_load(filled)))  # YAML's merges are done by then
    project.validate()
    assert set(project.service_names()) == set(SERVICES)


def test_every_program_is_a_service() -> None:
    assert set(SERVICES) == {*OURS, ONCE, "postgres", "proxy"}
    assert {name: service["command"] for name, service in SERVICES.items() if name in OURS} == {
        name: [name] for name in OURS
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_has_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert name == ONCE or "healthcheck" in service
    assert name == "postgres" or (service["read_only"] is True and service["cap_drop"] == ["ALL"])
    assert name in ("receiver", "console", "dagster-web", "proxy") or "public" not in service["networks"]
    assert ("ports" in service) is (name == "proxy")
    image = re.sub(r"\$\{\w+:-(.*)\}$", r"\1", service["image"])
    assert PINNED.match(image), image


@pytest.mark.parametrize("name", [name for name in sorted(SERVICES) if name not in ("postgres", "proxy")])
def test_every_setting_is_one_of_ours(name: str) -> None:
    assert SERVICES[name]["environment"].keys() <= {variable_of(field) for field in Settings.model_fields}


def test_every_variable_has_its_line_in_the_example() -> None:
    given = set(re.findall(r"^(\w+)=", (DEPLOY / "compose/example.env").read_text(), re.MULTILINE))
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    assert asked - given == {"CUSTOM_EVENTS_LOG_LEVEL"}
    assert given <= asked


def test_the_receiver_has_no_credentials_of_google() -> None:
    assert "secrets" not in SERVICES["receiver"]
    assert not any(name.startswith("GOOGLE") for name in SERVICES["receiver"]["environment"])


def test_the_dockerfile_has_no_findings() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.is_file():
        pytest.skip("hadolint is not there for this machine")
    done = subprocess.run([linter, "-"], input=DOCKERFILE, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_image_is_of_a_pinned_base_and_for_nobody_special() -> None:
    assert re.search(r"^ARG BASE=python:3\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BASE}", "${BASE}"]
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert "\nHEALTHCHECK " in last
    for variable in re.findall(r"\b(CUSTOM_EVENTS_\w+)=", last):
        assert variable in {variable_of(field) for field in Settings.model_fields}
