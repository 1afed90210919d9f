"""What goes to a board, how much room it takes, and whether the board can load it."""

import pytest

from edgekit.board.base import _largest_free
from edgekit.board.install import files_for, space, tables_for
from edgekit.board.profiles import PROFILES
from edgekit.bytecode import ARCHES, compile_file, why_not_loaded

RUNTIME = "/lib/tflite_micro/"


# Which files


def test_a_package_comes_whole_or_by_modules():
    whole = files_for("gesture")
    assert {RUNTIME + "moving.mpy", RUNTIME + "elementwise.mpy", "/boards/rp2040.mpy"} < set(whole)
    chosen = files_for("gesture", {"tflite_micro": ["elementwise"], "boards": ["esp32"]})
    assert {RUNTIME + "elementwise.mpy", RUNTIME + "operators.mpy", "/boards/esp32.mpy"} < set(chosen) < set(whole)
    assert RUNTIME + "recurrent.mpy" not in chosen and "/boards/rp2040.mpy" not in chosen


def test_what_a_chosen_module_imports_comes_too():
    assert {RUNTIME + "moving.mpy", RUNTIME + "float32.mpy"} < set(files_for("gesture", {"tflite_micro": ["elementwise"]}))
    assert "/boards/polled.mpy" in files_for("gesture", {"boards": ["nano33ble"]})
    assert "/boards/polled.mpy" not in files_for("gesture", {"boards": ["esp32"]})
    assert "/boards/wake.mpy" in files_for("wake", {"boards": ["esp32"]})


def test_floats_come_when_they_are_asked_for():
    assert RUNTIME + "floating.mpy" not in files_for("gesture")
    assert RUNTIME + "floating.mpy" in files_for("gesture", {"tflite_micro": ["floating"]})
    assert RUNTIME + "floating.mpy" in files_for(None)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_board_gets_its_own_table(profile):
    assert tables_for(profile.machine) == [profile.name]


def test_an_unknown_board_gets_all_tables():
    assert set(tables_for("Something new with RP9999")) == set(PROFILES)


# How much room


def test_room_is_counted_in_blocks_and_folders():
    files = {"/lib/a.mpy": 1, "/lib/b/c.mpy": 4097, "/d": 0}
    assert space(files, 512) == 512 * (1 + 9 + 0 + 2 * 2)
    assert space(files, 4096) == 4096 * (1 + 2 + 2 * 2)
    assert space(files, 4096, folders=["/lib"]) == 4096 * (1 + 2 + 2)


def test_room_is_what_the_simulated_flash_loses():
    import edgekit
    for profile in ("stm32f411", "esp32"):  # two kinds of file system
        with edgekit.connect(f"sim:{profile}", quiet=True) as board:
            before = board.info
            sizes = {"/lib/a.mpy": 700, "/lib/b/c.mpy": 5000, "/lib/b/d.mpy": 20}
            for path, size in sizes.items():
                board.put(bytes(size), path)
            assert before.flash_free - board.info.flash_free == space(sizes, before.flash_block)


ESP32 = """free 137216 blocks of 16
stack: 736 out of 15360
GC: total: 64000, used: 28160, free: 35840, max new split: 110592
 No. of 1-blocks: 305, 2-blocks: 62, max blk sz: 264, max free sz: 2000
"""


def test_the_largest_free_block_of_what_a_board_prints():
    assert _largest_free(ESP32, grows=True) == 110592
    assert _largest_free(ESP32, grows=False) == 32000
    assert _largest_free(ESP32.replace(", max new split: 110592", ""), grows=True) == 32000
    assert _largest_free("free 1000 blocks of 16\n max free sz: 2000", grows=True) == 1000
    assert _largest_free("free 1000 blocks of 16\nmem: total=3, current=2", grows=True) is None


def test_a_port_without_mem_info_tells_no_largest_block():
    import edgekit
    with edgekit.connect("sim", quiet=True) as board:
        board.exec("import sys\nclass Less: pass\nsys.modules['micropython'] = Less()")
        assert board.largest_free() is None


# Whether it loads


def native(tmp_path, arch):
    """A function in machine code, compiled."""
    source = tmp_path / "fast.py"
    source.write_text("@micropython.viper\ndef double(x: int) -> int:\n    return 2 * x\n")
    return compile_file(source, options=(f"-march={arch}",))


@pytest.mark.parametrize("arch, board_arch, message", [
    ("armv7emsp", "armv7emsp", ""),
    ("armv6m", "armv7emsp", ""),
    ("armv7emsp", "armv6m", "the board runs machine code for armv6m, the file holds machine code for armv7emsp: compile it "
     "with -march=armv6m"),
    ("xtensawin", "rv32imc", "machine code for rv32imc, the file holds machine code for xtensawin"),
    ("rv32imc", "", "the board runs bytecode only, the file holds machine code for rv32imc: leave its native functions out"),
])
def test_machine_code_must_be_for_the_board(tmp_path, arch, board_arch, message):
    said = why_not_loaded(native(tmp_path, arch), (6, 3), board_arch)
    assert message in said and bool(said) == bool(message)


def test_the_sub_version_counts_for_machine_code_only(tmp_path):
    assert "machine code of version 6.2, the compiler here writes version 6.3: put MicroPython 1.23 or later" in \
        why_not_loaded(native(tmp_path, "armv6m"), (6, 2), "armv6m")
    source = tmp_path / "plain.py"
    source.write_text("x = 1\n")
    assert why_not_loaded(compile_file(source), (6, 1), "armv6m") == ""


def test_small_integers_of_another_width(tmp_path):
    source = tmp_path / "plain.py"
    source.write_text("x = 1\n")
    said = why_not_loaded(compile_file(source, options=("-msmall-int-bits=63",)), (6, 3))
    assert said == "small integers have 31 bits on the board, 63 in the file: compile it with -msmall-int-bits=31"


def test_the_list_of_architectures_is_the_compilers(tmp_path):
    for arch in ("x64", "armv6m", "armv7emsp", "xtensawin", "rv32imc"):
        assert ARCHES[native(tmp_path, arch)[2] >> 2 & 0xF] == arch
