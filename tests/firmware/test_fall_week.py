"""A shortened week of the app fall: one day, two falls, a brown-out in a countdown. The whole: benchmarks/fall_week.py."""

import runpy

from edgekit.paths import ROOT


def test_no_fall_is_lost_and_the_loop_takes_no_memory(capsys):
    week = runpy.run_path(str(ROOT / "benchmarks" / "fall_week.py"))
    result = week["main"](1, 2, kinds=("sit_hard", "jump", "drop_device", "lie_down"))
    assert result["falls"] == len(result["expected"]) == 2 and result["lost"] == []
    assert result["brown_outs"] == 1 and "recovered" in result["log"] and result["log"][-1] == "called"
    assert result["log"].count("suspected") == result["alarms"] + 2 and result["alarms"] <= 2
    assert result["grown_bytes"] < 12_000, "what a fall is told with; a loop that allocates would take megabytes"
    assert "lost by the board: 0" in capsys.readouterr().out
