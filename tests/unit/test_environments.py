"""The versions of the conda environments, of requirements.txt and of requirements-dev.txt are the same."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def pins(name):
    """Every pinned requirement of a compiled file, with its marker."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"^[A-Za-z0-9_.-]+==", line)]


def linux(python):
    """Versions on 64-bit Linux under one Python, package to version."""
    environment = {
        "python_full_version": f"{python}.1",
        "python_version": python,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
    }
    chosen = [pin for pin in pins("requirements.txt") if pin.marker is None or pin.marker.evaluate(environment)]
    return {pin.name: str(pin.specifier) for pin in chosen}


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environment_has_the_pinned_versions(path):
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    python = next(entry for entry in entries if str(entry).startswith("python")).split("=")[1]
    wanted = [Requirement(line) for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    assert len(wanted) >= 4
    assert {entry.name: str(entry.specifier) for entry in wanted} == {
        entry.name: linux(python).get(entry.name) for entry in wanted
    }


def test_networks_get_the_classical_packages_tensorflow_and_onnx():
    listed = {}
    for name in ("classical", "deep"):
        entries = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8"))["dependencies"]
        own = [entry for entry in entries if isinstance(entry, str)]
        listed[name] = {*own, *(line for entry in entries if isinstance(entry, dict) for line in entry["pip"])}
    assert {line.partition("==")[0] for line in listed["deep"] ^ listed["classical"]} == {
        "tensorflow",
        "onnx",
        "onnxruntime",
    }
    assert listed["classical"] < listed["deep"]


def test_development_pins_contain_the_run_pins():
    assert {str(pin) for pin in pins("requirements.txt")} <= {str(pin) for pin in pins("requirements-dev.txt")}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pins_have_hashes_and_name_no_index(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") > len(pins(name)) > 50
    assert "://" not in text
    assert "index" not in text.replace("# via", "")
