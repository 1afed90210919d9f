"""The simulated homes: is the power physical, is it the same every time, and is what is labelled really there."""

import numpy as np
import pytest

from edgekit.dataset import load_dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS
from edgekit.signals import power
from edgekit.signals.power import (
    FAULTS,
    HOMES,
    LEARN_DAYS,
    load_truth,
    load_uci_household,
    make_power,
    per_minute,
)


@pytest.fixture(scope="module")
def shipped():
    return load_dataset("meter")


@pytest.fixture(scope="module")
def quiet():
    """Six days of a home with a fridge only, nothing wrong."""
    samples = make_power("h02", days=6, faults=[], away=set(), guests={})[0].samples[:, 0].astype(int)
    samples.setflags(write=False)
    return samples


# ---- the shipped set

def test_the_shipped_set_is_rebuilt_bit_for_bit(tmp_path, shipped):
    minutes, truth = power.make_dataset()
    assert minutes == shipped and truth == load_truth()
    power.save_truth(truth, tmp_path / "faults.csv")
    assert (tmp_path / "faults.csv").read_bytes() == (DATASETS / "meter" / "faults.csv").read_bytes()


def test_it_is_small_and_the_datasheet_has_its_numbers(shipped):
    assert (DATASETS / "meter" / "meter.npz").stat().st_size < 400_000
    text = (DATASETS / "meter" / "README.md").read_text(encoding="utf-8")
    events = [event for home in load_truth().values() for event in home]
    for fact in (f"{len(HOMES)} virtual homes", f"{len(shipped[0])} minutes a home", f"{len(events)}, all after the first {LEARN_DAYS} days",
                 "synthetic", "CC BY 4.0", *FAULTS):
        assert fact in text, fact
    assert shipped.subjects == HOMES and shipped[0].channels == ("mean", "least", "most")
    assert min(start_s for start_s, _, _ in events) >= LEARN_DAYS * 86_400


def test_faults_do_not_overlap():
    for home in (*HOMES, "h77", "h93"):
        events = make_power(home)[1]
        assert {kind for _, _, kind in events} == set(FAULTS)
        assert events == sorted(events)
        for before, after in zip(events, events[1:], strict=False):
            assert after[0] > before[1] + 3600, (home, before, after)


# ---- physics

def test_the_same_home_has_the_same_power_and_another_one_another():
    first, again, other = (make_power(home, days=1, faults=[])[0] for home in ("h05", "h05", "h06"))
    assert first == again
    assert not np.array_equal(first.samples, other.samples)


def test_a_fault_leaves_all_before_it_as_it_was(quiet):
    broken, truth = make_power("h02", days=6, faults=[("left_on", 3.5), ("stuck", 5.0)], away=set(), guests={})
    start_s, stop_s, _ = truth[0]
    before, after = broken.samples[:int(start_s), 0], broken.samples[int(start_s):int(stop_s), 0]
    # The noise grows with the power, so it is the same only where the power is.
    assert np.array_equal(before, quiet[:int(start_s)])
    assert (after - quiet[int(start_s):int(stop_s)]).max() > 350


def test_the_fridge_runs_longer_when_it_is_warmer():
    shares = []
    for hotter_c in (-6, 0, 6):
        samples = make_power("h02", days=2, faults=[], away={0, 1}, guests={}, hotter_c=hotter_c)[0].samples[:, 0]
        shares.append((samples > power._home("h02").base_w + 50).mean())
    assert 0.1 < shares[0] < shares[1] < shares[2] < 0.8, shares


def test_a_failing_fridge_creeps_until_it_never_stops():
    samples, truth = make_power("h02", days=9, faults=[("fridge_creeps", 1.0)], away=set(range(9)), guests={})
    limit = power._home("h02").base_w + 50
    start_s, stop_s, _ = truth[0]
    share = [(samples.samples[a:a + 43_200, 0] > limit).mean() for a in range(int(start_s), int(stop_s) - 86_400, 43_200)]
    assert share[0] < 0.5 and share[-2] == 1.0, share
    assert np.all(np.diff(share) > -0.06), share


def test_a_stopped_fridge_is_silent_and_runs_long_after_its_repair():
    samples, truth = make_power("h02", days=4, faults=[("fridge_stops", 1.0)], away=set(range(4)), guests={})
    start_s, stop_s, _ = truth[0]
    on = samples.samples[:, 0] > power._home("h02").base_w + 50
    cut = samples.samples[:, 0] < 12
    runs = np.flatnonzero(on & ~cut & (np.arange(len(on)) > start_s))
    assert runs[0] > start_s + 15 * 3600
    assert stop_s - runs[0] > 2700              # it had become warm inside


def test_a_leak_rises_and_stays(quiet):
    samples, truth = make_power("h02", days=6, faults=[("leak", 1.0)], away=set(), guests={})
    start_s, stop_s, _ = (int(x) if not isinstance(x, str) else x for x in truth[0])
    more = samples.samples[:, 0].astype(int) - quiet
    thirds = [np.median(more[a:b]) for a, b in zip(np.linspace(start_s, stop_s, 4)[:-1].astype(int),
                                                   np.linspace(start_s, stop_s, 4)[1:].astype(int), strict=True)]
    assert 2 < thirds[0] < thirds[1] < thirds[2] <= 200 and abs(np.median(more[stop_s + 10:])) <= 2


def test_a_stuck_meter_repeats_and_a_healthy_one_never_for_a_minute(quiet):
    samples, truth = make_power("h02", days=2, faults=[("stuck", 1.0)])
    start_s, stop_s, _ = truth[0]
    assert len(set(samples.samples[int(start_s):int(stop_s), 0].tolist())) == 1
    minutes = quiet[:len(quiet) // 60 * 60].reshape(-1, 60)
    assert ((minutes.max(axis=1) == minutes.min(axis=1)).sum()) == 0


def test_minutes_keep_mean_least_and_most():
    samples = make_power("h03", days=1, faults=[])[0]
    block = samples.samples[600:660, 0].astype(int)
    assert per_minute(samples).samples[10].tolist() == [block.sum() // 60, block.min(), block.max()]


@pytest.mark.parametrize("wrong, said", [
    (dict(home="kitchen"), "No virtual home 'kitchen'"), (dict(home="h01", days=0), "at least 1 day"),
    (dict(home="h01", faults=[("flood", 1)]), "No fault 'flood'"), (dict(home="h01", days=2, faults=[("leak", 2.5)]), "make them more"),
])
def test_what_is_refused(wrong, said):
    with pytest.raises(DataError, match=said):
        make_power(**wrong)


# ---- the public set

_UCI = """Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3
16/12/2006;17:24:00;4.216;0.418;234.840;18.400;0.000;1.000;17.000
16/12/2006;17:25:00;5.360;0.436;233.630;23.000;0.000;1.000;16.000
16/12/2006;17:26:00;?;?;?;?;?;?;
16/12/2006;17:27:00;5.388;0.502;233.740;23.000;0.000;1.000;17.000
16/12/2006;17:28:00;3.666;0.528;235.680;15.800;0.000;1.000;17.000
16/12/2006;17:40:00;0.322;0.000;243.150;1.400;0.000;0.000;0.000
16/12/2006;17:41:00;0.324;0.000;243.150;1.400;0.000;0.000;0.000
"""


def test_the_layout_of_the_uci_set_is_read_and_its_gaps_split(tmp_path):
    (tmp_path / "household_power_consumption.txt").write_text(_UCI)
    data = load_uci_household(tmp_path, at_least_min=2)
    assert [recording.samples[:, 0].tolist() for recording in data] == [[4216, 5360], [5388, 3666], [322, 324]]
    assert data[0].source == "file" and data[0].rate_hz == 1 / 60


@pytest.mark.parametrize("text, said", [
    (None, "download it from https://doi.org/10.24432/C58K54"), ("a,b\n1,2\n", "begins with 'a,b'"),
    (_UCI.replace("5.360", "many"), "Line 3 of"), (_UCI.split("\n")[0] + "\n", "no stretch of 60 minutes"),
])
def test_another_layout_is_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / "household_power_consumption.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        load_uci_household(tmp_path)
