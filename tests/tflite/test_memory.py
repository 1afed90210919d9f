"""What a loaded model takes of a board's heap: little beside file and arena, no copy of the file, nothing in invoke."""

import contextlib
from dataclasses import replace

import numpy as np
import pytest
import random_operators as ops

from edgekit import tflite
from edgekit.board.profiles import get_profile
from edgekit.board.simulated import SimulatedBoard
from edgekit.bytecode import compile_file, find_mpy_cross
from edgekit.paths import FIRMWARE, MODELS, ROOT
from edgekit.twin import board_module

tflm = board_module("tflite_micro")
SHARED = ROOT.parent / "shared" / "models"
GESTURE = MODELS / "gesture_int8.tflite"

ON_BOARD = """
import gc
import tflite_micro as tflm

def used():
    gc.collect()
    return gc.mem_alloc()

def allocated_by(run):
    count = gc.mem_alloc
    before = count()
    run()
    return count() - before
"""


@pytest.fixture(scope="module")
def board():
    with SimulatedBoard(replace(get_profile("esp32"), heap_bytes=1_500_000)) as board:
        mpy_cross, _ = find_mpy_cross()
        for source in sorted((FIRMWARE / "lib" / "tflite_micro").glob("*.py")):
            board.put(compile_file(source, mpy_cross), f"/lib/tflite_micro/{source.stem}.mpy")
        board.exec(ON_BOARD)
        yield board


def put(board, path):
    if not path.exists():
        pytest.skip(f"SKIP: {path.name} is a public model that is not part of the project; it is not beside it here")
    board.put(path.read_bytes(), "/models/test.tflite")


@pytest.mark.parametrize("path", [GESTURE, SHARED / "hello_world_int8.tflite", SHARED / "ad01_int8.tflite",
                                  SHARED / "kws_ref_model.tflite"], ids=lambda path: path.stem)
def test_a_model_takes_little_beside_its_file_and_arena(board, path):
    put(board, path)
    beside = []
    for _ in range(3):
        # A look at the heap may take what only looks like an address for one: the smallest of three counts.
        board.exec("model = None\nbefore = used()")
        board.exec("model = tflm.load_model('/models/test.tflite')")
        beside.append(board.eval("used() - before - model.arena_bytes - len(model.data)"))
    assert min(beside) < 6000


@pytest.mark.parametrize("path", [GESTURE, SHARED / "hello_world_int8.tflite", SHARED / "ad01_int8.tflite"],
                         ids=lambda path: path.stem)
def test_invoke_allocates_nothing(board, path):
    put(board, path)
    board.exec("model = tflm.load_model('/models/test.tflite')\ncount = allocated_by(model.invoke)")
    assert board.eval("allocated_by(model.invoke)") == 0
    # In Python only softmax needs integers of more than 31 bits.
    board.exec("model = tflm.load_model('/models/test.tflite', False)\nlayers = [l for l in model.layers if l.run]\n"
               "found = [(l.name, allocated_by(l.run)) for l in layers]")
    found = board.eval("[(l.name, allocated_by(l.run)) for l in layers]")
    assert [name for name, count in found if count] in ([], ["SOFTMAX"]), found


@pytest.mark.parametrize(("kernels", "more"), [(None, ["SUM"]), (False, [])], ids=["c", "python"])
def test_kernels_allocate_nothing(board, kernels, more):
    """But for those in Python that `docs/runtime.md` names."""
    kinds = [*ops.BINARY, *ops.UNARY, *ops.OTHERS, "REDUCE_MAX", "ARG_MAX", *more]
    models = [ops.random_operator(kind, 3) for kind in kinds] + [ops.random_moves(seed) for seed in range(12)]
    for data in models:
        board.exec(f"model = tflm.load_model({data!r}, {kernels})\nlayers = [l for l in model.layers if l.run]\n"
                   "found = [(l.name, allocated_by(l.run)) for l in layers]")
        found = board.eval("[(l.name, allocated_by(l.run)) for l in layers]")
        assert not [name for name, count in found if count], found


@pytest.mark.parametrize("kernels", [None, False], ids=["c", "python"])
def test_a_memoryview_is_used_in_place(board, kernels):
    """No copy: the heap hardly grows, and another weight in the buffer gives another output."""
    data = GESTURE.read_bytes()
    weights = max((t for t in tflite.read(data).tensors if t.type_name == "int8" and t.is_constant),
                  key=lambda t: t.data_bytes)
    x = np.random.default_rng(0).integers(-128, 128, 192, dtype=np.int8)
    board.put(data, "/models/test.tflite")
    board.exec("with open('/models/test.tflite', 'rb') as file:\n    data = memoryview(bytearray(file.read()))\n"
               f"model = None\nbefore = used()\nmodel = tflm.load_model(data, {kernels})")
    assert board.eval("used() - before") < len(data)

    def outputs():
        board.exec(f"model.set_input({x.tobytes()!r})\nmodel.invoke()")
        return np.frombuffer(board.eval("bytes(model.output)"), np.int8)

    assert (outputs() == tflite.reference(data, x)).all()
    changed = bytearray(data)
    changed[weights.data_start : weights.data_start + 200] = bytes(200)
    board.exec(f"for i in range({weights.data_start}, {weights.data_start + 200}):\n    data[i] = 0")
    assert (outputs() == tflite.reference(bytes(changed), x)).all()
    assert (tflite.reference(bytes(changed), x) != tflite.reference(data, x)).any()


def test_a_file_of_a_rom_file_system_is_used_in_place(monkeypatch):
    """There ``memoryview(file)`` is the file's own bytes: `vfs.VfsRom`, which the simulated board lacks."""
    rom = bytearray(GESTURE.read_bytes())
    monkeypatch.setattr(tflm, "open", lambda path, mode: contextlib.nullcontext(rom), raising=False)
    assert tflm.load_model("/rom/gesture.tflite", False).data.obj is rom
