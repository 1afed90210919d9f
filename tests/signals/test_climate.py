"""The simulated field: is it physics, the same every time, and hard enough; and real files of the same kind."""

import numpy as np
import pytest

from edgekit.dataset import load_dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS
from edgekit.signals import climate
from edgekit.signals.climate import (
    KINDS,
    LEARNING_DAYS,
    SITES,
    TEST_SITES,
    Label,
    load_sites,
    load_uscrn,
    make_site,
)

DAY = climate.SAMPLES_PER_DAY


@pytest.fixture(scope="module")
def sites():
    return [make_site(name) for name in SITES]


def test_the_shipped_set_is_rebuilt_bit_for_bit(sites, tmp_path):
    climate.save_sites(sites, tmp_path)
    for name in ("soil.npz", "labels.csv"):
        assert (tmp_path / name).read_bytes() == (DATASETS / "soil" / name).read_bytes(), name
    assert (DATASETS / "soil" / "soil.npz").stat().st_size <= 420_000


def test_what_is_loaded_is_what_was_made(sites):
    for made, loaded in zip(sites, load_sites(), strict=True):
        assert loaded.recording == made.recording and loaded.labels == made.labels and loaded.truth is None
    assert len(load_dataset("soil")) == len(SITES)
    with pytest.raises(DataError, match="No site 'f99' in the shipped set: it holds f01"):
        load_sites(["f99"])


def test_the_datasheet_has_the_numbers(sites):
    text = (DATASETS / "soil" / "README.md").read_text(encoding="utf-8")
    for fact in (f"{len(SITES)} virtual fields", f"{sum(len(site.labels) for site in sites)} events",
                 f"{len(sites[0].recording)} samples each", "synthetic", "CC BY 4.0", *KINDS):
        assert fact in text, fact


def test_another_seed_is_another_year_at_the_same_place():
    one, other = make_site("f01", days=20), make_site("f01", days=20, seed=1)
    assert (one.soil, one.climate, one.depth_m, one.first_day) == (other.soil, other.climate, other.depth_m, other.first_day)
    assert one.recording != other.recording and not set(TEST_SITES) & set(SITES)


@pytest.mark.parametrize("make, message", [
    (lambda: make_site("s01"), "No site 's01': expected 'f' and a number"),
    (lambda: make_site("f01", days=0), "A season has at least 1 day; found 0"),
])
def test_bad_use(make, message):
    with pytest.raises(DataError, match=message):
        make()


# ---- physics

@pytest.mark.parametrize("depth_m", [0.05, 0.10, 0.20])
def test_the_daily_wave_of_heat_is_damped_and_late(depth_m):
    """exp(-z / d) and z / d / (2 pi) of a day, with d = sqrt(D P / pi)."""
    time = np.arange(60 * DAY)
    air = 20 + 8 * np.cos(2 * np.pi * time / DAY)
    soil = climate._heat(air, 5e-7, depth_m)[20 * DAY:40 * DAY]
    d = np.sqrt(5e-7 * 86400 / np.pi)
    wave = np.exp(-2j * np.pi * np.arange(len(soil)) / DAY) @ soil * 2 / len(soil)
    assert abs(wave) == pytest.approx(8 * np.exp(-depth_m / d), rel=0.01)
    late_h = -np.angle(wave) * 24 / (2 * np.pi)
    assert late_h % 24 == pytest.approx(24 * depth_m / d / (2 * np.pi), abs=0.1)


def test_a_reference_crop_takes_what_the_handbook_says():
    """FAO-56, example 20: Lyon in July, 14.8 to 26.6 degC, is 5.0 mm a day by Hargreaves."""
    lyon = climate._Climate(45.72, 12, 9, 5, 0.2, 0, 5)
    hours = np.arange(DAY) / 6
    air = 20.7 + 5.9 * np.cos(2 * np.pi * (hours - 15) / 24)
    need = climate._evapotranspiration(air, lyon, first_day=195, days=1)
    assert need.sum() == pytest.approx(5.0, abs=0.1) and need[0] < 1e-9 and need.argmax() in range(60, 90)


def test_water_comes_from_rain_and_valve_and_goes_to_plants_and_down():
    """Without water it dries to the wilting point at most; with too much it is full and drains to field capacity."""
    soil = climate._SOILS["loam"]
    none, much = np.zeros(60 * DAY), np.full(60 * DAY, 0.03)
    dry, valve, _ = climate._water(soil, 0.1, none, much, hour=6, every=999, labels=[], generous=1)
    assert not valve.any() and (np.diff(dry) <= 1e-12).all() and soil.wilting - 1e-6 < dry[-1] < soil.wilting + 0.03
    storm = none.copy()
    storm[DAY:DAY + 30] = 5
    wet, _, _ = climate._water(soil, 0.1, storm, none, hour=6, every=999, labels=[], generous=1)
    assert soil.capacity + 0.05 < wet.max() <= soil.saturation and wet[-1] == pytest.approx(soil.capacity, abs=0.005)


def test_every_site_is_plausible(sites):
    for site in sites:
        truth = site.truth
        soil = climate._SOILS[site.soil]
        assert 100 * soil.wilting - 1e-6 <= truth[:, 0].min() and truth[:, 0].max() <= 100 * soil.saturation
        assert truth[:, 1].std() < truth[:, 2].std(), "soil is steadier than air"
        assert -15 < truth[:, 2].min() and truth[:, 2].max() < 50
        assert site.recording.samples[:, 3].any() and site.rain_mm.sum() > 0


# ---- what goes wrong

def test_faults_come_one_at_a_time_after_the_learning_days(sites):
    kinds = set()
    for site in sites:
        assert len(site.labels) >= 3 and site.labels == tuple(sorted(site.labels))
        assert site.labels[0].start >= LEARNING_DAYS * DAY
        for before, after in zip(site.labels, site.labels[1:], strict=False):
            assert after.start - before.stop > 2 * DAY
        kinds |= {label.kind for label in site.labels}
        assert site.wrong().sum() == sum(label.stop - label.start for label in site.labels)
    assert kinds == set(KINDS)


def test_a_fault_is_in_the_reading_and_a_blocked_dripper_in_the_ground(sites):
    for site in sites:
        calm = make_site(site.name, faults=False)
        assert calm.labels == ()
        for label in site.labels:
            column = site.recording.channels.index(label.channel)
            with_fault = site.recording.samples[label.start:label.stop, column].astype(int)
            without = calm.recording.samples[label.start:label.stop, column].astype(int)
            if label.kind == "spike":
                assert np.abs(with_fault - without).min() > 30
            elif label.kind == "flat":
                assert len(set(with_fault.tolist())) == 1
            elif label.kind == "blocked":
                assert site.truth[label.stop - 1, 0] <= calm.truth[label.stop - 1, 0]
                assert site.recording.samples[label.start, 3] > 0, "it begins when the valve opens"


def test_fixed_limits_that_fit_one_site_fail_at_another(sites):
    normal = [site.recording.samples[:LEARNING_DAYS * DAY, 0] for site in sites]
    assert any(one.max() < other.min() for one in normal for other in normal)


# ---- real files

def _line(minute, air, wet, soil, day="20240105"):
    clock = f"{minute // 60:02d}{minute % 60:02d}"
    return (f"53877 {day} {clock} {day} {clock}      3  -82.56   35.42   {air:5.1f}     0.0      0 0     {air:4.1f} C 0    55 0 "
            f"{wet:7.3f} {soil:7.1f}  1138 0   1.31 0\n")


def test_a_file_of_the_climate_reference_network(tmp_path):
    path = tmp_path / "CRNS0101-05-2024-NC_Asheville_13_S.txt"
    rows = [(0, 3.0, 0.301, 6.1), (5, 3.1, 0.399, 6.1), (10, 3.2, 0.302, 6.2), (20, -9999.0, -99.0, 6.25), (40, 4.0, 0.3, 6.5)]
    path.write_text("".join(_line(*row) for row in rows), encoding="utf-8")
    site = load_uscrn(path)
    assert site.name == "53877" and site.first_day == 4 and site.recording.source == "file"
    assert site.recording.samples.tolist() == [[3010, 98, 48, 0], [3020, 99, 51, 0], [3020, 99, 51, 0], [3020, 99, 51, 0],
                                               [3000, 104, 64, 0]], "missing ones repeat the last"
    assert site.labels == ()


@pytest.mark.parametrize("text, message", [
    ("53877 20240105 0000\n", "line 1: expected 23 fields as in subhourly01 of the USCRN, found 3"),
    (_line(0, 3, -99, -9999), "has no soil moisture"),
    ("", "has no soil moisture"),
])
def test_files_of_another_layout(tmp_path, text, message):
    path = tmp_path / "other.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_uscrn(path)


def test_a_label_is_an_event():
    assert Label(1, 2, "flat", "moisture").kind == "flat"
