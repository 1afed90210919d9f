"""The log that survives power cuts: every byte and every step at which the power may go, on both kinds of file systems."""

import itertools
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.board.install import files_for
from edgekit.bytecode import compile_file
from edgekit.errors import BoardCodeError, BoardRestartedError
from edgekit.paths import FIRMWARE
from edgekit.twin import board_module

ring = board_module("ring")


class PowerCut(BaseException):
    pass


class Flash:
    """``open`` and ``os.rename`` of a computer whose power goes after ``steps`` steps; each byte written is a step.

    ``whole``: as littlefs, a file is as it was last flushed. Else as FAT, every byte that was written is there.
    """

    def __init__(self, whole):
        self.whole, self.steps = whole, None

    def step(self):
        if self.steps is not None:
            if self.steps == 0:
                raise PowerCut
            self.steps -= 1

    def open(self, path, mode):
        return _File(self, path, mode)

    stat = staticmethod(os.stat)

    def rename(self, old, new):
        self.step()
        assert not os.path.exists(new), "FAT does not rename over a file"
        os.rename(old, new)

    def sync(self):
        self.step()


class _File:
    def __init__(self, flash, path, mode):
        self.flash, self.path = flash, path
        with open(path, mode) as file:  # as open() does: "w" empties it
            file.seek(0)
            self.data = bytearray(file.read() if "+" in mode else b"")
        self.at = 0

    def seek(self, at):
        self.at = at

    def readinto(self, buf):
        data = self.data[self.at:self.at + len(buf)]
        buf[:len(data)] = data
        self.at += len(data)
        return len(data)

    def read(self, size):
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def write(self, data):
        for byte in data:
            self.flash.step()
            self.data[self.at:self.at + 1] = bytes((byte,))
            self.at += 1
            if not self.flash.whole and self.flash.steps is not None:
                self._keep()

    def flush(self):
        self.flash.step()
        self._keep()

    def close(self):
        pass

    def _keep(self):
        with open(self.path, "wb") as file:
            file.write(self.data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture(params=[True, False], ids=["littlefs", "FAT"])
def flash(request, monkeypatch):
    flash = Flash(request.param)
    monkeypatch.setattr(ring, "os", flash)
    monkeypatch.setattr(ring, "open", flash.open, raising=False)
    monkeypatch.setattr(ring, "_sync", flash.sync)
    return flash


def payload(number):
    return bytes((number & 0xFF, number >> 8, 7 * number & 0xFF))


def numbers(log):
    found = list(log)
    assert all(data == payload(number) for number, data in found)
    return [number for number, _ in found]


@pytest.mark.parametrize("before", [0, 5, 17])
def test_wherever_the_power_goes_all_older_records_remain(flash, tmp_path, before):
    """Cut before every step of one append, then go on from there."""
    count, seen = 5, set()
    for cut in range(100):
        path = str(tmp_path / f"{cut}.log")
        flash.steps = None
        log = ring.Ring(path, 3, count)
        for number in range(1, before + 1):
            assert log.append(payload(number)) == number
        flash.steps = cut
        try:
            log.append(payload(before + 1))
            done = True
        except PowerCut:
            done = False
        flash.steps = None

        again = ring.Ring(path, 3, count)
        newest = again.next - 1
        assert newest in (before, before + 1) and (newest == before + 1 or not done)
        assert numbers(again) == list(range(max(1, newest - count + 1), newest + 1)), f"cut before step {cut}"
        seen.add(newest)
        for number in range(newest + 1, newest + 8):
            assert again.append(payload(number)) == number
        assert numbers(ring.Ring(path, 3, count)) == list(range(newest + 3, newest + 8))
        if done:
            break
    assert done and seen == {before, before + 1}
    assert cut == 9 + 2, "each of nine bytes, the flush and the sync was a place to cut"


def test_wherever_the_power_goes_while_it_is_made(flash, tmp_path):
    for cut in range(1000):
        path = str(tmp_path / f"{cut}.log")
        flash.steps = cut
        try:
            ring.Ring(path, 3, 1)
            done = True
        except PowerCut:
            done = False
        flash.steps = None
        log = ring.Ring(path, 3, 1)
        assert numbers(log) == [] and log.append(payload(1)) == 1
        assert os.path.getsize(path) == 16 + 2 * 9 and not os.path.exists(path + ".new")
        if done:
            break
    assert done and cut == 16 + 2 * 9 + 3


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.lists(st.one_of(st.integers(1, 12), st.just("power cut")), max_size=30))
def test_it_is_the_tail_of_a_list(tmp_path_factory, count, steps):
    """What a list that is cut to its last ``count`` items would hold, through any number of restarts."""
    path = str(tmp_path_factory.mktemp("ring") / "log")
    log, expected = ring.Ring(path, 2, count), []
    for step in steps:
        if step == "power cut":
            log.close()
            log = ring.Ring(path, 2, count)
            continue
        for _ in range(step):
            data = bytes((len(expected) & 0xFF, step))
            expected.append((log.append(data), data))
    assert [number for number, _ in expected] == list(range(1, len(expected) + 1))
    assert list(log) == expected[-count:] and len(log) == len(expected[-count:])
    assert list(log.since(max(1, len(expected)))) == expected[-1:]
    log.close()


def test_a_record_that_the_flash_has_damaged_is_skipped(tmp_path):
    path = str(tmp_path / "log")
    log = ring.Ring(path, 3, 6)
    for number in range(1, 9):
        log.append(payload(number))
    log.close()
    with open(path, "rb") as file:
        whole = file.read()
    for at, bit in itertools.product(range(16, len(whole)), range(8)):
        with open(path, "wb") as file:
            file.write(whole[:at] + bytes((whole[at] ^ 1 << bit,)) + whole[at + 1:])
        log = ring.Ring(path, 3, 6)
        slot = (at - 16) // 9
        assert numbers(log) == [number for number in range(3, 9) if number % 7 != slot] or slot == 8 % 7
        assert set(numbers(log)) >= {number for number in range(3, 9) if number % 7 != slot}
        log.close()


@pytest.mark.parametrize("make, message", [
    (lambda path: ring.Ring(path, 0, 5), "expected records of 1 to 65535 bytes and a count of 1 to 65535; found 0"),
    (lambda path: ring.Ring(path, 3, 5).append(b"1234"), "a record of 3 bytes was expected, 4 found"),
    (lambda path: ring.Ring(path, 4, 5), "holds 5 records of 3 bytes, expected 5 of 4: open it with its own sizes"),
    (lambda path: ring.Ring(__file__, 4, 5), "is no log of ring, or is damaged: remove it, or take another name"),
])
def test_bad_use(tmp_path, make, message):
    path = str(tmp_path / "log")
    ring.Ring(path, 3, 5).close()
    with pytest.raises(ValueError, match=message):
        make(path)


def test_a_file_of_other_sizes_is_replaced_if_asked_for(tmp_path):
    path = str(tmp_path / "log")
    old = ring.Ring(path, 3, 5)
    old.append(payload(1))
    old.close()
    new = ring.Ring(path, 4, 5, renew=True)
    assert list(new) == [] and new.append(b"1234") == 1
    new.close()
    again = ring.Ring(path, 4, 5, renew=True)
    assert list(again) == [(1, b"1234")], "one that fits stays"
    again.close()


# --- the simulated board

@pytest.fixture(scope="module")
def ready(board):
    board.put(compile_file(FIRMWARE / "lib" / "ring.py"), "/lib/ring.mpy")
    return board


def test_the_board_writes_what_the_host_reads(ready, tmp_path):
    ready.exec("from ring import Ring\nlog = Ring('/a.log', 3, 5)\n"
               "for n in range(1, 9): log.append(bytes((n, 0, 7 * n)))\nprint(list(log)[0])")
    (tmp_path / "a.log").write_bytes(ready.get("/a.log"))
    log = ring.Ring(str(tmp_path / "a.log"), 3, 5)
    assert numbers(log) == [4, 5, 6, 7, 8]
    log.close()


def test_appending_takes_no_memory(ready):
    ready.exec("""
import gc
from ring import Ring
log = Ring("/memory.log", 12, 40)
record = bytearray(12)

def taken(times):
    before = gc.mem_alloc()
    for _ in range(times):
        log.append(record)
    return gc.mem_alloc() - before
""")
    assert ready.eval("taken(300)") == ready.eval("taken(1)") < 100


def test_a_brown_out_while_it_logs(ready):
    """Whenever it comes: all records that ``append`` came back from are there, and the log goes on."""
    for wait_s in (0.05, 0.12, 0.2):
        ready.exec("from ring import Ring\nlog = Ring('/cut.log', 3, 50)")
        soon = threading.Timer(wait_s, lambda: ready.world.fault("brown-out"))
        soon.start()
        with pytest.raises(BoardRestartedError) as caught:
            ready.exec("while True:\n n = log.next\n log.append(bytes((n & 255, n >> 8, 7 * n & 255)))\n print(n)")
        soon.join()
        ready.world.mend()
        said = [int(line) for line in caught.value.output.split() if line.isdigit()]
        ready.exec("from ring import Ring")
        found = ready.eval("list(Ring('/cut.log', 3, 50))")
        assert all(data == payload(number) for number, data in found) and len(found) == min(50, found[-1][0])
        assert [number for number, _ in found] == list(range(found[0][0], found[-1][0] + 1))
        assert found[-1][0] >= max(said[:-1], default=0), "its last line may be cut"


def test_a_full_flash_is_said(ready):
    ready.world.fault("flash full")
    try:
        with pytest.raises(BoardCodeError) as caught:
            ready.exec("from ring import Ring\nRing('/full.log', 100, 100)")
    finally:
        ready.world.mend("flash full")
    assert "/full.log needs 10722 bytes and could not be made. If the flash is full, remove files" in caught.value.reason


def test_no_other_module_comes_with_it():
    assert "/lib/ring.mpy" in files_for(None) and len(compile_file(FIRMWARE / "lib" / "ring.py")) < 3500
