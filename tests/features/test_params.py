import json

import pytest

from edgekit.errors import DataError
from edgekit.features import FeatureParams


def test_round_trip(tmp_path):
    params = FeatureParams(stride=16, decimate=8, shift=11, classes=("idle", "wave"))
    params.save(tmp_path / "features.json")
    assert FeatureParams.load(tmp_path / "features.json") == params


def test_file_is_plain_json_with_units_in_names(tmp_path):
    FeatureParams(classes=("idle", "wave")).save(tmp_path / "features.json")
    assert json.loads((tmp_path / "features.json").read_text()) == {
        "kind": "waveform", "rate_hz": 100, "window": 128, "stride": 32, "channels": 6, "decimate": 4, "shift": 10,
        "classes": ["idle", "wave"]}


def test_shapes():
    assert FeatureParams().shape == (32, 6)
    assert FeatureParams(decimate=8).shape == (16, 6)
    assert FeatureParams(kind="summary").shape == (14,)
    assert FeatureParams(kind="summary", channels=3).shape == (13,)


@pytest.mark.parametrize("change, message", [
    ({"kind": "mfcc"}, "kind is 'mfcc'; expected one of waveform, summary"),
    ({"rate_hz": 0}, "rate_hz is 0; expected a whole number of at least 1"),
    ({"window": 128.0}, "window is 128.0; expected a whole number"),
    ({"stride": True}, "stride is True; expected a whole number"),
    ({"decimate": 5}, "window of 128 samples cannot be divided into groups of 5"),
    ({"kind": "summary", "window": 100}, "multiple of 32 samples; found 6 channels and 100 samples"),
    ({"kind": "summary", "channels": 4}, "6 channels, or the 3 of an accelerometer.* found 4 channels"),
])
def test_bad_values_are_named(change, message):
    with pytest.raises(DataError, match=message):
        FeatureParams(**change)


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="No feature parameters at .*nothing.json.*FeatureParams.save"):
        FeatureParams.load(tmp_path / "nothing.json")


@pytest.mark.parametrize("text, message", [
    ("{", "features.json is not JSON"),
    ("[1, 2]", "features.json: expected an object of feature parameters, found list"),
    ('{"kind": "waveform"}', "features.json: parameter 'rate_hz' is missing"),
    ('{"kind": "waveform", "hop": 3}', "features.json: unknown parameter 'hop'"),
])
def test_bad_files_are_named(tmp_path, text, message):
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(DataError, match=message):
        FeatureParams.load(tmp_path / "features.json")


def test_bad_value_in_a_file_names_the_file(tmp_path):
    values = FeatureParams().to_dict() | {"decimate": 7}
    (tmp_path / "mine.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match="mine.json: a window of 128 samples"):
        FeatureParams.load(tmp_path / "mine.json")
