"""What a bundle on the board says, and what is said if it is not whole."""

import json

import pytest

from edgekit.errors import BoardCodeError

ABOUT = {"model": "m.tflite", "params": {"rate_hz": 100}, "classes": ["no", "yes"], "threshold": 0.7}


def load(board, about, *files):
    """Put a description and files on the board, nothing else, and load the bundle."""
    board.install("replay")
    text = about if isinstance(about, str) else json.dumps(about)
    if "models/" in board.ls():
        board.remove("/models")
    board.put(text.encode(), "/models/trial/bundle.json")
    for file in files:
        board.put(b"x", "/models/trial/" + file)
    return board.eval("__import__('bundle').load('trial')")


def test_paths_are_whole(board):
    about = load(board, {**ABOUT, "files": {"mfcc.bin": "1f.bin"}}, "m.tflite", "1f.bin")
    assert about == {**ABOUT, "model": "/models/trial/m.tflite", "files": {"mfcc.bin": "/models/trial/1f.bin"}}


def test_without_further_files(board):
    assert load(board, ABOUT, "m.tflite")["files"] == {}


@pytest.mark.parametrize("about, files, message", [
    (ABOUT, (), "there is no model in /models/trial: deploy one first"),
    ({**ABOUT, "files": {"mfcc.bin": "gone.bin"}}, ("m.tflite",), "there is no model in /models/trial: deploy"),
    ("{\"model\": ", (), "/models/trial/bundle.json is damaged: deploy"),
    ("[]", (), "/models/trial/bundle.json is damaged: deploy"),
    ("{}", (), "/models/trial/bundle.json is damaged: deploy"),
    ({**ABOUT, "files": 3}, ("m.tflite",), "/models/trial/bundle.json is damaged: deploy"),
])
def test_what_is_not_whole_is_refused(board, about, files, message):
    with pytest.raises(BoardCodeError, match=message):
        load(board, about, *files)
