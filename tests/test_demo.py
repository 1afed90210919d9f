"""`make demo` in one piece: it must end well, and say so with figures."""

import re

from edgekit import cli


def test_demo_goes_from_the_first_sample_to_the_pin(capsys):
    assert cli.main(["demo"]) == 0
    text = capsys.readouterr().out
    assert "400 samples x 6 channels, 0 lost (simulated)" in text
    assert "mismatches that must not be: 0" in text
    leaky = float(re.search(r"careless: .*?([\d.]+)%", text)[1])
    honest = float(re.search(r"int8 +\d+ bytes   on four strangers ([\d.]+)%", text)[1])
    assert honest >= 95.0
    assert leaky > honest
    assert float(re.search(r"with whom nothing was chosen: ([\d.]+)%", text)[1]) >= 95.0
    assert int(re.search(r"(\d+) of 25 gestures right", text)[1]) >= 20
    assert int(re.search(r"switched (\d+) times", text)[1]) >= 40
