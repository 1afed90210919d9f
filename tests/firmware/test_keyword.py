"""apps/keyword on the simulated board: what it hears, what it switches, and that it computes what the host computes."""

import json

import numpy as np
import pytest

from edgekit.dataset import load_dataset
from edgekit.deploy import keyword_bundle, listen_live, parity
from edgekit.errors import BoardCodeError, DataError
from edgekit.signals.speech import clips
from edgekit.spotting import sound_recording, spot, spot_on_board

LED = 2  # of the ESP32 table


@pytest.fixture(scope="module")
def bundle(board):
    bundle = keyword_bundle()
    bundle.deploy(board)
    return bundle


@pytest.fixture(autouse=True)
def quiet_world(board):
    board.world.stop()
    board.world.mend()


@pytest.fixture(scope="module")
def words():
    return load_dataset("keywords")


def said(words, *labels, voice="en-gb-scotland+m5"):
    """Words of a test voice, a second and a half apart, and when each begins."""
    made = np.zeros(16_000 + 40_000 * len(labels), np.int16)
    starts = []
    for i, label in enumerate(labels):
        word = words.filter(label=label, subject=voice)[0].samples[:, 0] // 2
        at = 8000 + 40_000 * i
        made[at:at + len(word)] = word
        starts.append(at / 16_000)
    return made, starts


def test_features_and_logits_of_clips_are_equal_to_the_bit(board, bundle, words):
    found = parity(board, bundle, clips(words, 12, seed=9, split="test").x)
    assert found.mismatches == 0
    assert [row.values for row in found.rows] == [12 * 490, 12 * 4, 12 * 4]


def test_parity_of_sound_names_what_it_expects(board, bundle):
    with pytest.raises(DataError, match=r"Expected int16 clips \[N, 15840\]"):
        parity(board, bundle, np.zeros((3, 128), np.int16))


def test_yes_switches_the_led_on_and_no_off(board, bundle, words):
    sound, starts = said(words, "yes", "no", "yes")
    begin_s = board.world.time_s
    events = listen_live(board, sound_recording(sound, bundle.params), progress=False)
    assert [event.label for event in events] == ["yes", "no", "yes"]
    for event, start_s in zip(events, starts, strict=True):
        assert start_s < event.time_s < start_s + 1.3
    changes = [level for time_s, level in board.world.pin_history(LED) if time_s > begin_s]
    assert [level for i, level in enumerate(changes) if i == 0 or level != changes[i - 1]][-3:] == [1, 0, 1]


def test_the_same_samples_as_a_file_give_the_same_scores_as_here(board, bundle, words):
    sound, _ = said(words, "no", "yes")
    here, there = spot(bundle, sound), spot_on_board(board, bundle, sound, as_file=True)
    assert np.array_equal(here.scores, there.scores) and np.allclose(here.times_s, there.times_s)
    assert [(event.label, event.time_s) for event in here.events] == \
        [(event.label, event.time_s) for event in there.events]
    assert there.where == "simulated board" and "as a file" in there.notes[0]


def test_it_prints_lines_when_a_person_runs_it(board, bundle, words):
    sound, _ = said(words, "yes")
    board.put(np.pad(sound, (16_000, 0)).astype("<i2").tobytes(), "/sound.bin")
    printed = board.run("keyword", path="/sound.bin", frames=False)
    assert [line.split()[2] for line in printed.splitlines()] == ["yes"]
    board.remove("/sound.bin")


def test_a_word_that_the_model_does_not_know(board, bundle):
    with pytest.raises(BoardCodeError, match="the model knows no 'maybe'; it knows no, silence, unknown, yes"):
        board.run("keyword", on="maybe", max_windows=1)


def test_without_a_model_it_says_what_to_do(board):
    board.install("keyword")
    with pytest.raises(BoardCodeError, match="there is no model in /models/nothing: deploy one first"):
        board.run("keyword", name="nothing")


def test_a_hop_allocates_next_to_nothing(board, bundle):
    """The WebAssembly build collects garbage only between two executions, so growth in one run is what was allocated."""
    board.install("keyword")
    board.put(bytes(2 * 320 * 250), "/sound.bin")
    about = json.loads(board.get("/models/keyword/bundle.json"))
    assert about["classes"] == ["no", "silence", "unknown", "yes"]
    used = []
    for looks in (1, 41):
        board.exec("import gc, apps.keyword\ngc.collect()\nbefore = gc.mem_alloc()\n"
                   f"apps.keyword.main(path='/sound.bin', frames=False, max_windows={looks})\n"
                   "grown = gc.mem_alloc() - before")
        used.append(board.eval("grown"))
    board.remove("/sound.bin")
    assert (used[1] - used[0]) / 200 < 200, f"{used} bytes for 50 and 250 hops"
