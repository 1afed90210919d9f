"""The PDM driver against a model of the nRF52840's registers, written from its Product Specification."""

from array import array

import numpy as np
import pytest

from edgekit.twin import board_module

driver = board_module("pdm")
BASE = 0x4001D000
START, STOP = BASE + 0x000, BASE + 0x004
STARTED, STOPPED, END = BASE + 0x100, BASE + 0x104, BASE + 0x108
ENABLE, PDMCLKCTRL, MODE, GAINL, GAINR, RATIO = (BASE + at for at in (0x500, 0x504, 0x508, 0x518, 0x51C, 0x520))
PSEL_CLK, PSEL_DIN, PTR, MAXCNT = (BASE + at for at in (0x540, 0x544, 0x560, 0x564))
HFCLKSTART, HFCLKSTARTED = 0x40000000, 0x40000100
CLOCK_HZ = {0x08400000: 32_000_000 / 31, 0x0A000000: 1_280_000}


class Peripheral:
    """``mem32``: the registers. Time passes when the driver sleeps or looks at the clock, and when a test says so."""

    def __init__(self):
        self.registers = {PDMCLKCTRL: 0x08400000, GAINL: 0x28, GAINR: 0x28, PSEL_CLK: 0xFFFFFFFF, PSEL_DIN: 0xFFFFFFFF}
        self.memory = {}
        self.time_us = 0
        self.next_sample = 0
        self.running = self.broken = False

    def addressof(self, values):
        address = 0x20000000 + 0x10000 * len(self.memory)
        self.memory[address] = values
        return address

    def __getitem__(self, address):
        return self.registers.get(address, 0)

    def __setitem__(self, address, value):
        if address == HFCLKSTART:
            self.registers[HFCLKSTARTED] = 1
        elif address == START and self[ENABLE] and self[HFCLKSTARTED] and PSEL_CLK in self.registers and not self.broken:
            self.running, self.began_us, self.done = True, self.time_us, 0
            self._latch()
        elif address == STOP:
            self.running = False
            self.registers[STOPPED] = 1
        elif address not in (START, STOP):
            self.registers[address] = value

    def _latch(self):
        """The address and the size are taken when a buffer is started; then they may be changed."""
        self.target, self.room, self.at = self.memory[self[PTR]], self[MAXCNT], 0
        self.registers[STARTED] = 1

    @property
    def rate_hz(self):
        return CLOCK_HZ[self[PDMCLKCTRL]] / (80 if self[RATIO] else 64)

    def pass_time(self, us):
        self.time_us += us
        while self.running and self.done < int((self.time_us - self.began_us) * self.rate_hz / 1e6):
            self.target[self.at] = self.next_sample % 30000
            self.next_sample += 1
            self.done += 1
            self.at += 1
            if self.at == self.room:
                self.registers[END] = 1
                self._latch()


@pytest.fixture
def chip(monkeypatch):
    chip = Peripheral()
    monkeypatch.setattr(driver, "mem32", chip)
    monkeypatch.setattr(driver, "addressof", chip.addressof)
    monkeypatch.setattr(driver, "sleep_ms", lambda ms: chip.pass_time(1000 * ms))

    def ticks_us():
        chip.pass_time(10)
        return chip.time_us
    monkeypatch.setattr(driver, "ticks_us", ticks_us)
    return chip


def test_the_rate_is_16_khz(chip):
    microphone = driver.PDM(clock=26, data=25, gain_db=6)
    assert chip.rate_hz == microphone.rate_hz == 16000
    assert (chip[PSEL_CLK], chip[PSEL_DIN], chip[GAINL], chip[GAINR]) == (26, 25, 0x28 + 12, 0x28 + 12)
    assert chip[MODE] == 1  # mono, on the falling edge: the microphone's L/R pin is at ground


@pytest.mark.parametrize("hop", [1, 320, 512, 1600, 5000])
def test_every_sample_once_and_in_order(chip, hop):
    microphone = driver.PDM(26, 25)
    microphone.start()
    samples = array("h", bytes(2 * hop))
    got = []
    for _ in range(max(3, 12000 // hop)):
        assert microphone.read_block(samples) == 0
        got += samples.tolist()
        chip.pass_time(min(80_000, 50 * hop))  # the program computes, for less than a buffer lasts
    assert got == [i % 30000 for i in range(len(got))]


@pytest.mark.parametrize("late_ms", [150, 250, 1000, 3333])
def test_a_program_that_comes_too_late_learns_how_much_it_lost(chip, late_ms):
    microphone = driver.PDM(26, 25, buffer=1600)
    microphone.start()
    samples = array("h", bytes(2 * 400))
    got, gaps = [], []
    for turn in range(60):
        lost = microphone.read_block(samples)
        if lost:
            gaps.append((len(got), lost))
        got += samples.tolist()
        if turn == 3:
            chip.pass_time(1000 * late_ms)
    jumps = np.flatnonzero(np.diff(got) % 30000 != 1)
    assert len(jumps) == len(gaps) <= 1
    for jump, (place, lost) in zip(jumps, gaps, strict=True):
        assert (got[jump + 1] - got[jump] - 1 - lost) % 30000 == 0
        assert place <= jump + 1 < place + 400
    assert sum(lost for _, lost in gaps) == (late_ms // 100 - 1) * 1600


def test_what_is_being_read_is_never_written(chip):
    """The buffer that the program has belongs to it, however late it comes."""
    microphone = driver.PDM(26, 25, buffer=800)
    microphone.start()
    rng = np.random.default_rng(1)
    one = array("h", bytes(2))
    last = -1
    for _ in range(3000):
        lost = microphone.read_block(one)
        assert one[0] == (last + 1 + lost) % 30000
        last = one[0]
        if rng.random() < 0.02:
            chip.pass_time(int(rng.integers(0, 200_000)))


def test_as_a_source_for_the_features(chip):
    """It starts by itself, and says how much was lost."""
    source = driver.PDM(26, 25, buffer=800)
    samples = array("h", bytes(640))
    assert source.read_into(samples) and samples.tolist() == list(range(320))
    chip.pass_time(500_000)
    for _ in range(6):
        assert source.read_into(samples)
    assert source.lost > 0 and source.behind_ms() == source.lost * 1000 // 16000
    source.close()
    assert not chip.running


def test_stop_and_start_again(chip):
    microphone = driver.PDM(26, 25)
    samples = array("h", bytes(640))
    microphone.start()
    microphone.read_block(samples)
    microphone.stop()
    assert not chip.running and chip[ENABLE] == 0
    with pytest.raises(OSError, match="not running: call start"):
        microphone.read_block(samples)
    chip.pass_time(500_000)
    microphone.start()
    first = chip.next_sample
    assert microphone.read_block(samples) == 0
    assert samples[0] == first
    microphone.deinit()
    assert chip[PSEL_CLK] == chip[PSEL_DIN] == 0xFFFFFFFF


def test_a_peripheral_that_does_not_answer(chip):
    microphone = driver.PDM(26, 25)
    chip.broken = True
    with pytest.raises(OSError, match="the start of a buffer was expected within 0.1 s"):
        microphone.start()


def test_a_dma_that_stands_still(chip):
    microphone = driver.PDM(26, 25)
    microphone.start()
    chip.running = False
    with pytest.raises(OSError, match="gives no samples: the DMA stands still"):
        microphone.read_block(array("h", bytes(2)))


def test_wrong_values():
    with pytest.raises(ValueError, match="gain_db is 30, expected -20 to 20"):
        driver.PDM(26, 25, gain_db=30)
    with pytest.raises(ValueError, match="buffer is 40000 samples, expected 1 to 32767"):
        driver.PDM(26, 25, buffer=40000)
