"""docs/simulated-board.md keeps step with the code."""

from pathlib import Path

from edgekit.board.profiles import PROFILES
from edgekit.paths import ROOT
from edgekit.simulator import chips
from edgekit.simulator.faults import FAULTS

PAGE = (ROOT / "docs" / "simulated-board.md").read_text(encoding="utf-8")


def test_the_page_lists_every_fault_with_its_words():
    for fault in FAULTS.values():
        assert f"| `{fault.kind}` | {fault.what} | {fault.seen} |" in PAGE


def test_the_page_names_every_chip_and_profile():
    folder = next(iter(chips.__path__))
    names = {path.stem for path in Path(folder).glob("*.py")}
    for name in names - {"__init__", "analog", "registers", "sound_switch", "st"}:
        assert name.upper() in PAGE, name
    for profile in PROFILES:
        assert f"`{profile}`" in PAGE or f"sim:{profile}" in PAGE
