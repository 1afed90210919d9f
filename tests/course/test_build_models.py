"""The shipped models are what the recipe and the card say. No training here: the lessons do that."""

import hashlib
import platform

import numpy as np
import pytest

from edgekit.convert import run, runs_on_board
from edgekit.convert.lite import interpreter
from edgekit.course import build_models
from edgekit.dataset import load_dataset
from edgekit.errors import ModelError
from edgekit.features import FeatureParams
from edgekit.features.motion import waveform
from edgekit.paths import MODELS
from edgekit.recipes import gesture
from edgekit.train import score


@pytest.fixture(scope="module")
def parts():
    return gesture.split(load_dataset("gestures"))


@pytest.fixture(scope="module")
def shipped():
    return {kind: (MODELS / name).read_bytes() for kind, name in gesture.FILES.items()}


@pytest.fixture(scope="module")
def converted(parts):
    return gesture.convert_all(gesture.load_weights(), parts)


def test_nobody_is_in_two_parts(parts):
    people = [set(part.subject.tolist()) for part in (parts.train, parts.validation, parts.test)]
    assert [len(group) for group in people] == [10, 2, 4]
    assert len(set.union(*people)) == 16


def test_params_are_those_of_the_data(parts):
    assert FeatureParams.load(MODELS / gesture.FEATURES) == parts.params


@pytest.mark.parametrize("kind", ["float", "dynamic"])
def test_weights_give_the_shipped_files_again(kind, converted, shipped):
    assert converted[kind] == shipped[kind]


def test_weights_give_the_shipped_int8_file_again(converted, shipped):
    if platform.machine() in ("x86_64", "AMD64"):
        assert converted["int8"] == shipped["int8"]
    # Calibration runs the network in floats. On another kind of processor the last bit of a range may differ.
    for one, other in zip(interpreter(converted["int8"]).get_tensor_details(),
                          interpreter(shipped["int8"]).get_tensor_details(), strict=True):
        assert one["shape"].tolist() == other["shape"].tolist()
        np.testing.assert_allclose(one["quantization_parameters"]["scales"], other["quantization_parameters"]["scales"],
                                   rtol=1e-5)


def test_int8_model_understands_strangers(parts, shipped):
    predicted = run(shipped["int8"], parts.features("test")).argmax(axis=1)
    result = score(parts.test.y, predicted)
    assert result.accuracy >= 0.95
    card = (MODELS / build_models.CARD).read_text()
    assert f"int8: {result}" in card, "the card's figure is not what the shipped model reaches"
    assert hashlib.sha256(shipped["int8"]).hexdigest() in card
    assert "synthetic" in card and "leaky" in card


def test_the_card_says_how_it_does_on_people_with_whom_nothing_was_chosen(parts, shipped):
    assert not set(gesture.FURTHER_PEOPLE) & set(load_dataset("gestures").subjects)
    further = gesture.further_windows(parts.params)
    result = score(further.y, run(shipped["int8"], waveform(further.x, parts.params)).argmax(axis=1))
    assert result.accuracy >= 0.95
    assert f"with whom nothing was chosen: {result}" in (MODELS / build_models.CARD).read_text()


def test_only_int8_runs_on_the_board(shipped):
    assert runs_on_board(shipped["int8"]) == "yes"
    assert runs_on_board(shipped["float"]).startswith("slowly")
    assert runs_on_board(shipped["dynamic"]).startswith("slowly")


def test_weights_of_another_net_are_named(tmp_path):
    np.savez(tmp_path / "other.npz", first=np.zeros(3))
    with pytest.raises(ModelError, match="other.npz holds the weights first; the gesture net has .*conv_1"):
        gesture.load_weights(tmp_path / "other.npz")
