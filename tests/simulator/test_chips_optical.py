"""APDS9960 and MAX30102 against their data sheets."""

import pytest

from edgekit.errors import DataError
from edgekit.simulator.chips.apds9960 import APDS9960
from edgekit.simulator.chips.max30102 import MAX30102

CYCLE_US = 2780


def sense(**changed):
    """A world: constants, or functions of the time in microseconds."""
    values = {"lux": 300.0, "color": (1.0, 1.0, 1.0), "proximity": 0.0, "ppg": (0.0, 0.0), "temperature_c": 25.0,
              **changed}
    return lambda name, time_us: values[name](time_us) if callable(values[name]) else values[name]


def get(chip, register, time_us=0, count=1):
    chip.write(bytes((register,)), time_us)
    return chip.read(count, time_us)


def put(chip, register, *values, time_us=0):
    assert chip.write(bytes((register, *values)), time_us) == 1 + len(values)


# APDS9960, AV02-4191EN


def light(chip, time_us):
    data = get(chip, 0x94, time_us, 8)
    return [int.from_bytes(data[i:i + 2], "little") for i in range(0, 8, 2)]


def test_apds9960_identity_and_reset():
    chip = APDS9960(sense())
    assert get(chip, 0x92) == b"\xab"
    assert [get(chip, r)[0] for r in (0x80, 0x81, 0x83, 0x8E, 0x90, 0xA6)] == [0, 0xFF, 0xFF, 0x40, 0x01, 0x40]
    assert light(chip, 10**6) == [0, 0, 0, 0], "it sleeps"


def test_apds9960_light_counts_by_gain_time_and_colour():
    readings = {}
    for gain in range(4):
        for cycles in (10, 72):
            chip = APDS9960(sense(lux=100, color=(0.5, 0.25, 0.25)))
            put(chip, 0x81, 256 - cycles)
            put(chip, 0x8F, gain)
            put(chip, 0x80, 0x03)
            assert get(chip, 0x93, cycles * CYCLE_US - 1)[0] & 1 == 0
            assert get(chip, 0x93, cycles * CYCLE_US)[0] & 1 == 1
            readings[gain, cycles] = light(chip, cycles * CYCLE_US)
            assert get(chip, 0x93, cycles * CYCLE_US)[0] & 1 == 0, "reading clears the valid bit"
    for (gain, cycles), (clear, red, green, blue) in readings.items():
        assert clear == round(100 * 0.042 * 4**gain * cycles)
        assert red == pytest.approx(clear / 2, abs=1) and green == blue == pytest.approx(clear / 4, abs=1)


def test_apds9960_light_saturates_at_1025_counts_for_each_cycle():
    chip = APDS9960(sense(lux=100_000))
    put(chip, 0x81, 0xF6)
    put(chip, 0x80, 0x03)
    assert light(chip, 30_000)[0] == 10_250
    assert get(chip, 0x93, 30_000)[0] & 0x80
    put(chip, 0xE6, time_us=30_000)
    assert not get(chip, 0x93, 30_000)[0] & 0x80
    put(chip, 0x81, 0x00, time_us=30_000)
    put(chip, 0x8F, 0x03, time_us=30_000)
    assert light(chip, 2 * 10**6)[0] == 65_535


def test_apds9960_proximity_counts_at_the_test_settings():
    # 120 counts at 100 mm; light falls with the square of the distance.
    for near, expected in ((0, 0), (0.06, 30), (0.1213, 120), (1, 255)):
        chip = APDS9960(sense(proximity=near))
        put(chip, 0x8E, 0x47)  # 8 us, 8 pulses
        put(chip, 0x8F, 0x08)  # 100 mA, gain 4
        put(chip, 0x80, 0x05)
        assert get(chip, 0x9C, 3_000)[0] == pytest.approx(expected, abs=1)
        assert bool(get(chip, 0x93, 3_000)[0] & 0x40) is (near == 1), "saturated"


def test_apds9960_proximity_grows_with_led_current_pulses_and_gain():
    chip = APDS9960(sense(proximity=0.5))
    put(chip, 0x80, 0x05)
    readings = []
    for i, (pulses, control) in enumerate(((0x40, 0x00), (0x41, 0x00), (0x00, 0x00), (0x40, 0x40), (0x40, 0x04)), 1):
        put(chip, 0x8E, pulses, control, time_us=i * 3_000)
        readings.append(get(chip, 0x9C, (i + 1) * 3_000)[0])
    assert readings == [64, 128, 32, 32, 128]


def test_apds9960_proximity_offsets_have_their_sign_in_bit_7():
    chip = APDS9960(sense(proximity=0.5))
    put(chip, 0x9D, 0x8A, 0x8A)
    put(chip, 0x80, 0x05)
    assert get(chip, 0x9C, 3_000)[0] == 64 - 10


def approaching(time_us):
    return 0.5 if time_us >= 100_000 else 0.0


def watching(persistence=4):
    chip = APDS9960(sense(proximity=approaching))
    put(chip, 0x8E, 0x47)
    put(chip, 0x8F, 0x08)
    put(chip, 0x8B, 50)
    put(chip, 0x8C, persistence << 4)
    put(chip, 0x80, 0x25)
    return chip


def test_apds9960_proximity_interrupt_after_so_many_results():
    chip = watching()
    first_us = -(-100_000 // CYCLE_US) * CYCLE_US
    assert chip.level(50_000) == 1, "nothing: INT is high"
    assert chip.next_change(50_000, 10**6) == first_us + 3 * CYCLE_US
    assert chip.level(200_000) == 0
    assert get(chip, 0x93, 200_000)[0] & 0x20
    put(chip, 0xE5, time_us=200_000)  # PICLEAR: its address is enough
    assert chip.level(200_000) == 1
    assert chip.level(200_000 + 2 * CYCLE_US) == 0, "it is still near"
    assert watching(0).next_change(0, 10**6) == CYCLE_US, "no persistence: every result"


def test_apds9960_light_interrupt_and_wait_time():
    chip = APDS9960(sense(lux=lambda t: 1000 if t > 500_000 else 100))
    put(chip, 0x81, 0xF6)  # 27.8 ms
    put(chip, 0x83, 0xDC)  # 36 cycles: 100.08 ms
    put(chip, 0x84, 0, 0, 200, 0)
    put(chip, 0x8C, 0x01)
    put(chip, 0x80, 0x1B)
    # Wait, then light: rounds of 127.88 ms, and the fourth ends after 500 ms.
    assert chip.next_change(0, 10**6) == 4 * 127_880
    assert chip.level(4 * 127_880) == 0
    put(chip, 0xE7, time_us=520_000)
    assert chip.level(520_000) == 1


def gestures(direction="left", at_s=0.1):
    chip = APDS9960(sense())
    chip.swipe(direction, at_s, 0.3)
    put(chip, 0x8E, 0x47)
    put(chip, 0x8F, 0x08)
    put(chip, 0xA0, 20, 20, 0x40, 0x41)  # enter and leave at 20; 4 sets; gain 4, 2.8 ms wait
    put(chip, 0xA6, 0x47)
    put(chip, 0xAB, 0x02)
    put(chip, 0x80, 0x45)
    return chip


@pytest.mark.parametrize("direction, first, last", [("up", 0, 1), ("down", 1, 0), ("left", 2, 3), ("right", 3, 2)])
def test_apds9960_a_swipe_reaches_one_diode_first(direction, first, last):
    chip = gestures(direction)
    sets, time_us = [], 0
    while time_us < 600_000:
        time_us += 20_000
        count = get(chip, 0xAE, time_us)[0]
        assert get(chip, 0xAF, time_us)[0] == (1 if count else 0)
        data = get(chip, 0xFC, time_us, 4 * count)
        sets += [data[i:i + 4] for i in range(0, len(data), 4)]
    peaks = [max(range(len(sets)), key=lambda i: sets[i][diode]) for diode in range(4)]
    assert peaks[first] < peaks[last]
    assert max(s[first] for s in sets) > 100
    assert get(chip, 0xAB, time_us)[0] & 1 == 0, "the hand left, so did the engine"


def test_apds9960_gesture_interrupt_and_fifo_overflow():
    chip = gestures()
    entered_us = chip.next_change(0, 10**6)
    assert 100_000 < entered_us < 250_000
    assert get(chip, 0xAE, entered_us)[0] == 4, "GFIFOTH: four data sets"
    assert get(chip, 0x93, entered_us)[0] & 0x04
    assert get(chip, 0xAE, 10**6)[0] == 32
    assert get(chip, 0xAF, 10**6)[0] == 3, "overflow"
    get(chip, 0xFC, 10**6, 128)
    assert get(chip, 0xAE, 10**6)[0] == 0
    assert chip.level(10**6) == 1, "an empty FIFO takes the interrupt back"


def test_apds9960_swipe_says_what_it_takes():
    with pytest.raises(DataError, match="A hand moves up, down, left, right; found 'north'"):
        APDS9960(sense()).swipe("north", 0)
    with pytest.raises(DataError, match="duration_s=0"):
        APDS9960(sense()).swipe("up", 0, 0)


def test_apds9960_long_silence_is_cheap_and_ends_the_same():
    chip = APDS9960(sense(lux=lambda t: t * 1e-6))
    put(chip, 0x81, 0xFF)
    put(chip, 0x8F, 0x03)
    put(chip, 0x80, 0x03)
    calls = []
    chip._sense = lambda name, time_us: calls.append(time_us) or (1.0 if name == "lux" else (1, 1, 1))
    light(chip, 3600 * 10**6)
    assert len(calls) < 200
    assert max(calls) == 3600 * 10**6 // CYCLE_US * CYCLE_US


# MAX30102, 19-7740 revision 1


def finger(**settings):
    """SpO2 mode, 100 samples per second, 18 bits, 4096 nA."""
    chip = MAX30102(sense(**settings))
    get(chip, 0x00)  # power ready
    put(chip, 0x08, 0x00, 0x00, 0x27)
    put(chip, 0x0C, 0x1F, 0x3F)
    put(chip, 0x09, 0x03)
    return chip


def fifo(chip, time_us, samples=1, leds=2):
    data = get(chip, 0x07, time_us, 3 * leds * samples)
    return [int.from_bytes(data[i:i + 3], "big") for i in range(0, len(data), 3)]


def test_max30102_identity_and_reset():
    chip = MAX30102(sense())
    assert get(chip, 0xFF) == b"\x15"
    assert get(chip, 0x00) == b"\x01", "power ready"
    assert get(chip, 0x00) == b"\x00"
    put(chip, 0x0C, 0x55)
    put(chip, 0x09, 0x40)
    assert get(chip, 0x0C) == b"\0" and get(chip, 0x09) == b"\0"


def test_max30102_counts_by_led_current_and_range():
    # 0.05 of 16384 nA at 51 mA; here 6.2 mA and 12.6 mA, into 18 bits of 4096 nA.
    chip = finger(ppg=(0.05, 0.08))
    assert fifo(chip, 10_000) == [round(0.05 * 16384 * 0x1F / 255 / 4096 * 2**18),
                                  round(0.08 * 16384 * 0x3F / 255 / 4096 * 2**18)]
    assert fifo(finger(ppg=(9, 9)), 10_000) == [2**18 - 1] * 2, "clipped"


@pytest.mark.parametrize("code, bits", [(0, 15), (1, 16), (2, 17), (3, 18)])
def test_max30102_resolution_by_pulse_width_is_left_justified(code, bits):
    used = 0
    for i in range(40):
        chip = finger(ppg=(0.5 + i / 2000, 0.5))
        put(chip, 0x0A, 0x24 | code)
        used |= fifo(chip, 20_000)[0]
    assert used & 0x7 == 0x7 >> 18 - bits << 18 - bits


def test_max30102_a_wide_pulse_bounds_the_rate():
    chip = finger()
    put(chip, 0x0A, 0x3F)  # 3200 per second with 411 us: table 11 says 400
    put(chip, 0x04, 0, 0, 0)
    assert get(chip, 0x04, 2_499) == b"\0"
    assert get(chip, 0x04, 2_500) == b"\1"
    put(chip, 0x09, 0x02)  # one LED: 1000
    put(chip, 0x04, 0, 0, 0)
    assert get(chip, 0x04, 1_000) == b"\1"


def ticking(time_us):
    return (time_us * 1e-6, 0.0)


def test_max30102_averages():
    chip = finger(ppg=ticking)
    put(chip, 0x08, 0x40)  # four
    put(chip, 0x0C, 0xFF)
    put(chip, 0x0A, 0x67)  # 16384 nA
    assert get(chip, 0x04, 39_999) == b"\0"
    assert fifo(chip, 40_000)[0] == pytest.approx(0.025 * 2**18, abs=1), "of 10, 20, 30 and 40 ms"


def test_max30102_fifo_stops_when_full_and_counts_what_is_lost():
    chip = finger(ppg=ticking)
    put(chip, 0x0C, 0xFF)
    put(chip, 0x0A, 0x67)
    assert get(chip, 0x04, 310_000, 3) == bytes((31, 0, 0))
    assert get(chip, 0x04, 320_000, 3) == bytes((0, 0, 0)), "32 samples: the pointers meet"
    assert get(chip, 0x04, 350_000, 3) == bytes((0, 3, 0))
    assert get(chip, 0x05, 10**6) == b"\x1f", "it counts to 31"
    assert chip.fifo_lost == 68
    assert fifo(chip, 10**6)[0] == pytest.approx(0.01 * 2**18, abs=1), "the oldest is still there"
    assert get(chip, 0x04, 10**6, 3) == bytes((0, 0, 1)), "a sample that is read resets the counter"
    assert fifo(chip, 10**6, 31)[-2] == pytest.approx(0.32 * 2**18, abs=1)
    assert get(chip, 0x04, 10**6, 3) == bytes((0, 0, 0))


def test_max30102_fifo_rolls_over():
    chip = finger(ppg=ticking)
    put(chip, 0x08, 0x10)
    put(chip, 0x0C, 0xFF)
    put(chip, 0x0A, 0x67)
    assert fifo(chip, 10**6)[0] == pytest.approx(0.69 * 2**18, abs=1), "the newest 32 of 100"


def test_max30102_interrupts():
    chip = finger()
    put(chip, 0x02, 0x40)
    assert chip.level(0) == 1
    assert chip.next_change(0, 10**6) == 10_000
    assert chip.level(10_000) == 0
    assert get(chip, 0x00, 10_000) == b"\x40"
    assert chip.level(10_000) == 1
    assert chip.level(20_000) == 0
    fifo(chip, 20_000)
    assert chip.level(20_000) == 1, "reading the data clears it too"
    put(chip, 0x08, 0x0F, time_us=20_000)  # almost full: 15 places left
    put(chip, 0x04, 0, 0, 0, time_us=20_000)
    put(chip, 0x02, 0x80, time_us=20_000)
    assert chip.next_change(20_000, 10**6) == 20_000 + 170_000
    assert get(chip, 0x00, 200_000)[0] & 0x80


@pytest.mark.parametrize("celsius", [-10.25, 0.0, 25.0625, 37.5])
def test_max30102_thermometer(celsius):
    chip = MAX30102(sense(temperature_c=celsius))
    put(chip, 0x21, 1)
    assert get(chip, 0x21, 28_999) == b"\1"
    assert get(chip, 0x21, 29_000) == b"\0"
    assert get(chip, 0x01, 29_000) == b"\2"
    whole, part = get(chip, 0x1F, 29_000)[0], get(chip, 0x20, 29_000)[0]
    assert (whole - 256 if whole > 127 else whole) + part / 16 == celsius


def test_max30102_multi_led_slots_and_shutdown():
    chip = finger(ppg=(0.1, 0.2))
    put(chip, 0x11, 0x12, 0x02)  # infrared, red, infrared
    put(chip, 0x09, 0x07)
    first, second, third = fifo(chip, 10_000, leds=3)
    assert first == third == round(0.2 * 16384 * 0x3F / 255 / 4096 * 2**18)
    assert second == round(0.1 * 16384 * 0x1F / 255 / 4096 * 2**18)
    put(chip, 0x09, 0x87, time_us=10_000)
    assert get(chip, 0x04, 10**6) == b"\1", "no more samples"
