"""The runtime's kernels in C: the order of their numbers, and what they may use."""

import re

import wasmtime

from edgekit.paths import FIRMWARE
from edgekit.tflite.native import WasmKernels
from edgekit.twin import board_module

NATIVE = FIRMWARE / "native"
SOURCE = (NATIVE / "tflite.c").read_text(encoding="utf-8")
native = board_module("tflite_micro").native




def test_each_kernel_has_a_layout_and_each_layout_a_kernel():
    module = wasmtime.Module.from_file(wasmtime.Engine(), str(NATIVE / "tflite.wasm"))
    assert {export.name for export in module.exports} == set(native.LAYOUTS)


def test_the_source_has_no_floating_point_and_calls_no_library():
    code = re.sub("//.*", "", SOURCE)
    assert not re.search(r"\b(float|double|static const|malloc|memcpy|memset)\b", code)
    assert re.findall(r"#include (.*)", SOURCE) == ['"kernel.h"']


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
                   for names in enums), f"{kernel}: no enum in tflite.c has {numbers}"


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
