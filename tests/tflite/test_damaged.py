"""Damaged files: load and run, or one ValueError; never another error, a crash, a hang or a wild allocation."""

import signal
import time

import numpy as np
import pytest
from damaged_models import damaged, whole_files

from edgekit.tflite.native import WasmKernels
from edgekit.twin import board_module

tflm = board_module("tflite_micro")
def too_long(signum, frame):
    raise AssertionError("a damaged file took more than a second")


@pytest.mark.parametrize("first", range(0, 10_000, 2500))
def test_ten_thousand_damaged_files(first):
    files = whole_files()
    counts = {"ran": 0, "refused": 0}
    for seed in range(first, first + 2500):
        rng = np.random.default_rng(seed)
        data = damaged(files[rng.integers(len(files))], rng)
        start = time.process_time()
        try:
            model = tflm.load_model(data, WasmKernels())
            model.invoke()
            counts["ran"] += 1
        except ValueError as error:
            assert len(str(error)) > 20, f"seed {seed}: no message"
            counts["refused"] += 1
        assert time.process_time() - start < 1, f"seed {seed} took long"
    assert counts["ran"] > 50 and counts["refused"] > 1000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="SKIP: this computer has no timer for a test")
def test_damaged_files_with_the_python_kernels():
    files = whole_files()
    old = signal.signal(signal.SIGALRM, too_long)
    try:
        for seed in range(20_000, 21_000):
            rng = np.random.default_rng(seed)
            signal.setitimer(signal.ITIMER_REAL, 5)
            try:
                tflm.load_model(damaged(files[rng.integers(len(files))], rng), False).invoke()
            except ValueError as error:
                assert len(str(error)) > 20
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_damaged_files_on_the_simulated_board():
    from edgekit.board.simulated import SimulatedBoard
    files = whole_files()
    code = ("try:\n m = tflite_micro.load_model(bytes({data!r}))\n m.invoke()\n print('ran')\n"
            "except (ValueError, MemoryError) as error:\n print('refused', str(error)[:60])\n")
    counts = {"ran": 0, "refused": 0}
    with SimulatedBoard("esp32") as board:
        board.install("replay")
        board.exec("import tflite_micro")
        for seed in range(30_000, 30_500):
            rng = np.random.default_rng(seed)
            said = board.exec(code.format(data=damaged(files[rng.integers(len(files))], rng)), timeout_s=10)
            word, _, message = said.strip().partition(" ")
            assert word == "ran" or len(message) > 20, said
            counts[word] += 1
    assert counts["ran"] > 5 and counts["refused"] > 100
