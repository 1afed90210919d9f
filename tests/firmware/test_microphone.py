"""Sound on its way to the features: the slots of an I2S microphone, and a file."""

from array import array

import numpy as np

from edgekit.recording import Recording
from edgekit.simulator.chips.inmp441 import INMP441
from edgekit.twin import board_module

microphone = board_module("microphone")


def slots_of(samples):
    """What an INMP441 without noise sends for int16 samples of full scale."""
    chip = INMP441(lambda first_us, rate_hz, frames: samples / 32768, noise=False)
    return chip.record(0.0, 16000, len(samples))[:, 0]


def test_played_int16_comes_back_to_the_bit():
    samples = np.array([0, 1, -1, 2, -2, 255, -256, 12345, -12345, 32767, -32768], np.int16)
    halves = array("h", slots_of(samples).astype("<i4").tobytes())
    found = array("h", bytes(2 * len(samples)))
    microphone.upper_halves(halves, found)
    assert found.tolist() == samples.tolist()


def test_what_is_below_the_upper_half_is_cut_off():
    halves = array("h", np.array([0x0001FFFF, -1, 0x7FFFFFFF, -0x80000000], "<i4").tobytes())
    found = array("h", bytes(8))
    microphone.upper_halves(halves, found)
    assert found.tolist() == [1, -1, 32767, -32768]


def test_a_file_ends_with_its_last_whole_hop(tmp_path):
    path = tmp_path / "sound.bin"
    path.write_bytes(np.arange(10, dtype="<i2").tobytes())
    source = microphone.SoundFile(str(path), 1000)
    samples = array("h", bytes(8))
    assert source.read_into(samples) and samples.tolist() == [0, 1, 2, 3] and source.time_ms() == 4
    assert source.read_into(samples) and samples.tolist() == [4, 5, 6, 7]
    assert not source.read_into(samples)
    source.close()


def test_the_simulated_board_hears_what_is_played(board):
    """As int16, but for the microphone's own noise, -87 dB of full scale."""
    board.install("keyword")
    sound = (8000 * np.sin(np.arange(3200) / 5)).astype(np.int16)
    board.exec("import boards\nfrom array import array\nfrom microphone import Microphone\n"
               "m = Microphone(boards.microphone(), 320)\ns = array('h', bytes(640))")
    board.world.play(Recording(sound, 16000, ("audio",), ("full scale",), (1 / 32768,)), loop=True)
    board.exec("import gc\nm.read_into(s)\nbefore = gc.mem_alloc()\nfor _ in range(5):\n    m.read_into(s)\n"
               "grown = gc.mem_alloc() - before")
    heard = np.array(board.eval("list(s)"))
    shifts = [np.abs(np.roll(sound, -k)[:320] - heard.astype(int)).max() for k in range(0, 3200)]
    assert min(shifts) <= 8
    # Only what the simulated bus itself takes: the buffers are reused.
    assert board.eval("grown") < 5 * 600, "448 bytes for each hop of 20 ms"


def test_it_knows_how_far_behind_it_is(board):
    board.install("keyword")
    board.exec("import boards, time\nfrom array import array\nfrom microphone import Microphone\n"
               "m = Microphone(boards.microphone(), 320)\ns = array('h', bytes(640))\nm.read_into(s)\n"
               "early = m.behind_ms()\ntime.sleep_ms(1500)\nm.read_into(s)\nlate = m.behind_ms()")
    assert abs(board.eval("early")) <= 2 and 1470 <= board.eval("late") <= 1490
