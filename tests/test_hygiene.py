"""The tree is clean: no path of somebody's machine, no broken link in a document, generated files up to date."""

import ast
import re
import subprocess
import sys

import pytest

from edgekit.paths import ROOT

TRACKED = [ROOT / name for name in subprocess.run(
    ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    if name and (ROOT / name).is_file()]
DOCUMENTS = [p for p in TRACKED if p.suffix == ".md"]
TEXTS = [p for p in TRACKED if p.suffix in {".py", ".md", ".yml", ".toml", ".ipynb", ".mjs", ".txt", ".json", ""}]

# The order of the house: a package may import those before it, never those after it.
ORDER = ["errors", "paths", "bytecode", "twin", "native", "recording", "dataset", "signals", "features", "train", "convert", "simulator",
         "board", "tflite", "classical", "infer", "capture", "deploy", "spotting", "recipes", "kernel", "lab", "project", "course", "demo", "cli"]


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_no_path_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"(?<![\w.])/(?:home|Users|root)/\w+", text)
    assert found == [], f"{relative(path)} names a folder of one machine: {found}"
    assert str(ROOT) + "/" not in text


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links_in_documents_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    broken = [t for t in targets if "://" not in t and not t.startswith("mailto:") and not (path.parent / t).exists()]
    assert broken == []


def test_imports_go_down_only():
    upward = []
    for path in (p for p in TRACKED if p.suffix == ".py" and ROOT / "edgekit" in p.parents):
        room = path.relative_to(ROOT / "edgekit").parts[0].removesuffix(".py")
        if room not in ORDER:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else \
                [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                parts = name.split(".")
                if parts[0] == "edgekit" and len(parts) > 1 and parts[1] in ORDER \
                        and ORDER.index(parts[1]) > ORDER.index(room):
                    upward.append(f"{relative(path)} imports {name}")
    assert upward == []


def test_import_is_fast_because_heavy_libraries_wait():
    code = ("import sys, edgekit; heavy = {'tensorflow', 'keras', 'librosa', 'sklearn', 'matplotlib'};"
            "print(sorted(heavy & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
