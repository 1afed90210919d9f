"""The kernels in C: their order of numbers, what the machine code may hold, and that the committed file is theirs."""

import re
import subprocess
import sys

import wasmtime

from edgekit.paths import FIRMWARE, ROOT
from edgekit.tflite.native import WasmKernels
from edgekit.twin import board_module

SOURCE = (FIRMWARE / "native" / "kernels.c").read_text(encoding="utf-8")
WASM = FIRMWARE / "native" / "kernels.wasm"
native = board_module("tflite_micro").native


def kernels():
    engine = wasmtime.Engine()
    return wasmtime.Module.from_file(engine, str(WASM))


def test_the_committed_file_is_built_from_the_source(tmp_path):
    built = tmp_path / "kernels.wasm"
    subprocess.run(["make", "-s", "-C", str(ROOT), "kernels", f"KERNELS={built}", f"BIN={sys.prefix}/bin"], check=True)
    assert built.read_bytes() == WASM.read_bytes(), "run `make kernels` and commit firmware/native/kernels.wasm"


def test_each_kernel_has_a_layout_and_each_layout_a_kernel():
    assert {export.name for export in kernels().exports} == set(native.LAYOUTS)


def test_the_kernels_need_memory_only():
    """No other import, no constant data, no table of functions: so the source becomes machine code anywhere."""
    assert [(i.module, i.name) for i in kernels().imports] == [("env", "memory")]
    sections = set(_sections(WASM.read_bytes()))
    assert not sections & {9, 11, 12}  # functions in tables, data


def test_the_source_has_no_floating_point_and_calls_no_library():
    code = re.sub("//.*", "", SOURCE)
    assert not re.search(r"\b(float|double|static const|malloc|memcpy|memset)\b", code)
    assert re.findall(r"#include <(.*)>", SOURCE) == ["stdint.h"]


def test_the_numbers_have_the_order_of_the_enums():
    """The last words of each enum's names are those of the layout."""
    enums = [[name.strip().split(" ")[0].lower() for name in body.split(",")]
             for body in re.findall(r"enum \{([^}]*)\}", SOURCE)]
    window = next(names for names in enums if names[0] == "batches")[:-1]
    starts = {"max_pool_2d": [window], "average_pool_2d": [window],
              "conv_2d": [window, ["units", "input_zero_point", "zero_point"]],
              "depthwise_conv_2d": [window, ["units", "input_zero_point", "zero_point"]]}
    for kernel, (numbers, _) in native.LAYOUTS.items():
        numbers = numbers.split()
        if kernel in starts:
            assert sum(starts[kernel], []) == numbers
            continue
        assert any(len(names) == len(numbers) and all(name == number or name.endswith("_" + number)
                                                      for name, number in zip(names, numbers, strict=True))
                   for names in enums), f"{kernel}: no enum in kernels.c has {numbers}"


def test_views_outlive_the_kernels_object():
    tensors = []
    for _ in range(20):
        placed = WasmKernels().place(bytearray(range(200)))
        tensors.append(placed)
    assert all(bytes(view) == bytes(range(200)) for view in tensors)


def test_memory_grows_with_the_model():
    c = WasmKernels()
    views = [c.place(bytes([i]) * 100_000) for i in range(20)]
    assert all(bytes(view) == bytes([i]) * 100_000 for i, view in enumerate(views))
    assert c.address(views[1]) - c.address(views[0]) == 100_000


def _sections(data):
    at = 8
    while at < len(data):
        kind, at = data[at], at + 1
        size = shift = 0
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind
        at += size
