"""The C kernels under AddressSanitizer and UndefinedBehaviorSanitizer: no byte outside, no undefined arithmetic."""

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import random_models
import random_operators as ops
from damaged_models import damaged, whole_files
from random_recurrent import random_lstm, random_svdf

from edgekit.twin import board_module

tflm = board_module("tflite_micro")
LAYOUTS = tflm.native.LAYOUTS


class Recorder:
    """Stands in for the C kernels: runs those in Python and keeps what each was given and gave."""

    def __init__(self):
        self.calls = []

    def place(self, buffer):
        return buffer

    def bind(self, layers, data):
        return [self._bind(layer) for layer in layers]

    def _bind(self, layer):
        name = layer.kernel and layer.kernel.__name__
        if name not in LAYOUTS:
            return None
        numbers, own = LAYOUTS[name]
        p = layer.parameters
        numbers = [getattr(p, number) for number in numbers.split()]
        inputs, outputs = (views if isinstance(views, list) else [views] for views in (layer.x, layer.y))
        states = [i for i, tensor in enumerate(layer.inputs) if tensor in layer.states]
        changing = [2 + i for i in states + list(range(len(inputs), len(inputs) + len(outputs)))]

        def run():
            buffers = [bytes(getattr(p, "weights", b"")), bytes(getattr(p, "biases", None) or b"")]
            buffers += [bytes(view) for view in inputs] + [bytes(memoryview(view).nbytes) for view in outputs]
            buffers += [bytes(getattr(p, buffer)) for buffer in own.split()]
            layer.kernel(p, layer.x, layer.y, layer.scratch)
            results = [bytes((inputs + outputs)[i - 2]) for i in changing]
            self.calls.append((name, numbers, buffers, changing, results))

        return run


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("SKIP: no C compiler with sanitizers on this computer")
    program = tmp_path_factory.mktemp("sanitizers") / "harness"
    kernels = " ".join(f"NAME({name})" for name in LAYOUTS)
    subprocess.run([compiler, "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                    f"-DALL_KERNELS={kernels}", "-o", str(program),
                    str(Path(__file__).with_name("sanitizer_harness.c"))], check=True)
    return program


def expect_clean_and_equal(harness, calls):
    request = b"".join(
        struct.pack("<32sI", name.encode(), len(numbers)) + struct.pack(f"<{len(numbers)}i", *numbers)
        + struct.pack("<I", len(buffers)) + b"".join(struct.pack("<I", len(b)) + b for b in buffers)
        for name, numbers, buffers, _, _ in calls)
    done = subprocess.run([str(harness)], input=request, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[:3000]
    at = 0
    for name, numbers, buffers, outputs, expected in calls:
        for i, buffer in enumerate(buffers):
            found = done.stdout[at:at + len(buffer)]
            at += len(buffer)
            if i in outputs:
                assert found == expected[outputs.index(i)], f"{name} {numbers}"
            elif i > 1:  # scratch and weights may, inputs and constants must stay
                assert found == buffer, f"{name} changed its input"
    assert at == len(done.stdout)


def recorded(data, seed):
    recorder = Recorder()
    model = tflm.load_model(data, recorder)
    rng = np.random.default_rng(seed)
    for x in model.inputs:
        if x.format == "b":
            np.frombuffer(x, np.int8)[:] = rng.integers(-128, 128, len(x))
    model.invoke()
    return recorder.calls


def test_every_kernel_on_random_models(harness):
    calls = []
    kinds = [*ops.BINARY, *ops.UNARY, *ops.REDUCING, *ops.OTHERS]
    for seed in range(120):
        calls += recorded(ops.random_operator(kinds[seed % len(kinds)], seed), seed)
        calls += recorded(ops.random_moves(seed), seed)
    for seed in range(200):
        try:
            calls += recorded(random_models.random_model(seed), seed)
        except ValueError:
            continue  # refused
    for seed in range(100):
        calls += recorded(random_svdf(seed), seed) + recorded(random_lstm(seed), seed)
    assert {name for name, *_ in calls} == set(LAYOUTS)
    expect_clean_and_equal(harness, calls)


def test_damaged_models_that_load(harness):
    calls, files = [], whole_files()
    for seed in range(4000):
        rng = np.random.default_rng(seed)
        try:
            calls += recorded(damaged(files[rng.integers(len(files))], rng), seed)
        except ValueError:
            continue
    assert len(calls) > 100
    expect_clean_and_equal(harness, calls)
