"""The benchmark of classical models runs, its figures aside; the README names each script."""

import re
import runpy

from edgekit.paths import ROOT


def test_classic(capsys):
    runpy.run_path(str(ROOT / "benchmarks" / "classic.py"))["main"]([2], rounds=1)
    said = capsys.readouterr().out
    assert "2 trees" in said and "this project, C against if-chain" in said
    rows = [line for line in said.splitlines() if line.endswith("/200")]
    assert {line[:22].strip() for line in rows} >= {"this project, C", "this project, Python", "if-chain"}
    assert all(line.endswith(" 0/200") for line in rows if line.startswith("this project")), "scikit-learn's answers"


def test_the_readme_names_each_script():
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`[^`]*benchmarks/(\w+[.]py)", readme)) == {path.name for path in (ROOT / "benchmarks").glob("*.py")}
