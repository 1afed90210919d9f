"""The three descriptions of the environment agree: pyproject.toml, requirements.txt, environment.yml."""

import importlib.metadata
import json
import os
import re
import tomllib

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from edgekit.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]]
LOCK_TEXT = (ROOT / "requirements.txt").read_text()


def locked():
    """Each locked requirement with its number of hashes: [(Requirement, int)]."""
    joined = re.sub(r"\\\n\s*", " ", LOCK_TEXT)
    found = []
    for line in joined.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            text, *hashes = line.split(" --hash=sha256:")
            found.append((Requirement(text), len(hashes)))
    return found


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_every_dependency_is_locked_at_a_version_it_allows(wanted):
    versions = [str(r.specifier).removeprefix("==") for r, _ in locked()
                if canonicalize_name(r.name) == canonicalize_name(wanted.name)]
    assert versions, f"{wanted.name} is not in requirements.txt: run `make lock`"
    assert all(v in wanted.specifier for v in versions)


def test_every_locked_package_has_a_hash():
    assert len(locked()) > 100
    assert [r.name for r, hashes in locked() if hashes == 0] == []


def test_this_environment_is_the_locked_one():
    wrong = {}
    for requirement, _ in locked():
        if requirement.marker is None or Marker(str(requirement.marker)).evaluate():
            try:
                found = importlib.metadata.version(requirement.name)
            except importlib.metadata.PackageNotFoundError:
                found = "missing"
            if found not in requirement.specifier:
                wrong[requirement.name] = found
    assert wrong == {}


def test_conda_environment_takes_the_lock_file():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = next(d for d in environment["dependencies"] if isinstance(d, str) and d.startswith("python="))
    assert python.split("=")[1] in SpecifierSet(PROJECT["requires-python"])
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["-r requirements.txt"]
    assert environment["name"] == PROJECT["name"]


def test_lock_files_name_no_download_address():
    package_lock = (ROOT / "edgekit/simulator/package-lock.json").read_text()
    for text in (LOCK_TEXT, package_lock):
        assert "://" not in text
    assert '"resolved"' not in package_lock
    assert "--index-url" not in LOCK_TEXT


def test_simulated_board_package_is_locked_with_its_hash():
    wanted = json.loads((ROOT / "edgekit/simulator/package.json").read_text())["dependencies"]
    packages = json.loads((ROOT / "edgekit/simulator/package-lock.json").read_text())["packages"]
    for name, version in wanted.items():
        entry = packages[f"node_modules/{name}"]
        assert entry["version"] == version
        assert entry["integrity"].startswith("sha512-")


def test_post_build_does_what_make_does():
    script = ROOT / "postBuild"
    assert os.name == "nt" or os.access(script, os.X_OK)
    assert "./postBuild" in (ROOT / "Makefile").read_text()
    assert "edgekit.kernel.install" in script.read_text()
