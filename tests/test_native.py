"""The files of ``firmware/native``: what the machine code may hold, and that the committed files are theirs."""

import subprocess
import sys

import pytest
import wasmtime

from edgekit.board import connect
from edgekit.paths import FIRMWARE, ROOT

NATIVE = FIRMWARE / "native"
LIBRARIES = sorted(path.stem for path in NATIVE.glob("*.c"))


def test_the_committed_files_are_built_from_the_source(tmp_path):
    subprocess.run(["make", "-s", "-C", str(ROOT), "kernels", f"KERNELS={tmp_path}", f"BIN={sys.prefix}/bin"], check=True)
    assert sorted(path.stem for path in NATIVE.glob("*.wasm")) == LIBRARIES
    for name in LIBRARIES:
        assert (tmp_path / f"{name}.wasm").read_bytes() == (NATIVE / f"{name}.wasm").read_bytes(), \
            f"run `make kernels` and commit firmware/native/{name}.wasm"


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_kernels_need_memory_only(name):
    """No other import, no constant data, no table of functions: so the source becomes machine code anywhere."""
    module = wasmtime.Module.from_file(wasmtime.Engine(), str(NATIVE / f"{name}.wasm"))
    assert [(i.module, i.name) for i in module.imports] == [("env", "memory")]
    sections = set(_sections((NATIVE / f"{name}.wasm").read_bytes()))
    assert not sections & {9, 11, 12}  # functions in tables, data


def test_the_simulated_board_has_a_module_for_each_file():
    with connect("sim") as board:
        for name in LIBRARIES:
            module = wasmtime.Module.from_file(wasmtime.Engine(), str(NATIVE / f"{name}.wasm"))
            board.exec(f"import {name}_kernels")
            assert {export.name for export in module.exports} <= set(board.eval(f"dir({name}_kernels)"))


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
