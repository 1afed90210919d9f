"""The shipped keyword model is what its card says. No training here."""

import hashlib

import pytest

from edgekit.convert import runs_on_board
from edgekit.course import build_keyword
from edgekit.dataset import load_dataset
from edgekit.deploy.bundle import KEYWORD_THRESHOLD
from edgekit.features import load_params
from edgekit.paths import MODELS
from edgekit.recipes import keyword
from edgekit.tflite import Interpreter
from edgekit.train import predict


@pytest.fixture(scope="module")
def content():
    return (MODELS / keyword.FILES["int8"]).read_bytes()


@pytest.fixture(scope="module")
def params():
    return load_params(MODELS / keyword.FEATURES)


def test_the_card_is_of_this_file(content):
    card = (MODELS / build_keyword.CARD).read_text()
    assert hashlib.sha256(content).hexdigest() in card and f"| {len(content)} |" in card
    assert f"The threshold **{KEYWORD_THRESHOLD}**" in card, "edgekit.deploy.bundle.KEYWORD_THRESHOLD is another one"
    assert "synthetic" in card


def test_it_is_small_and_runs_on_the_board(content, params):
    assert len(content) < 40_000 and Interpreter(content).macs < 400_000
    assert runs_on_board(content) == "yes"
    assert params.classes == load_dataset("keywords").classes == ("no", "silence", "unknown", "yes")


def test_strange_voices_are_understood_as_the_card_says(content, params):
    """150 of the clips that the card is made from; the goal is 92 % at 10 dB and better."""
    right = build_keyword.score_clips(Interpreter(content), params, load_dataset("keywords"), "test", 20, count=150)
    assert right["all"][1] == 150 and right["all"][0] >= 0.9 * 150


def test_the_shipped_weights_are_the_shipped_model(content, params):
    x, y, _ = keyword.features(load_dataset("keywords"), params, 150, seed=5, split="test", snr_db=20)
    of_weights = predict(keyword.load_weights(), x)
    of_int8 = Interpreter(content).invoke(x).reshape(len(x), -1).argmax(axis=1)
    assert (of_weights == of_int8).mean() >= 0.95
    assert (of_weights == y).mean() >= 0.9
