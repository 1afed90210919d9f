"""machine.I2S, against extmod/machine_i2s.c and ports/esp32/machine_i2s.c."""

import numpy as np
import pytest

from edgekit.simulator import bus

ARGS = "sck=14, ws=15, sd=32, mode=I2S.RX, bits=16, format=I2S.MONO, rate=16000, ibuf=8000"


def changed(**arguments):
    words = dict(word.split("=") for word in ARGS.split(", "))
    return ", ".join(f"{name}={value}" for name, value in {**words, **arguments}.items())


@pytest.mark.parametrize("code, error", [
    (f"I2S(2, {ARGS})", "ValueError: invalid id"),                              # ports/esp32/machine_i2s.c:345
    (f"I2S(0, {changed(mode=9)})", "ValueError: invalid mode"),                 # ports/esp32/machine_i2s.c:258
    (f"I2S(0, {changed(bits=24)})", "ValueError: invalid bits"),                # ports/esp32/machine_i2s.c:265
    (f"I2S(0, {changed(format=7)})", "ValueError: invalid format"),             # ports/esp32/machine_i2s.c:272
    (f"I2S(0, {changed(sd=99)})", "ValueError: invalid pin"),
    (f"I2S(0, {ARGS}).irq(5)", "ValueError: invalid callback"),                 # extmod/machine_i2s.c:406
    (f"I2S(0, {ARGS}).readinto(bytearray(3))", "OSError: [Errno 22] EINVAL"),   # extmod/machine_i2s.c:521
    (f"I2S(0, {ARGS}).write(b'ab')", "OSError: [Errno 1] EPERM"),               # extmod/machine_i2s.c:564
    ("I2S.shift(buf=bytearray(4), bits=24, shift=1)", "ValueError: invalid bits"),  # extmod/machine_i2s.c:459
    (f"I2S(0, {changed(mode='I2S.TX')})",
     "NotImplementedError: the simulated board plays no sound: I2S works with mode=I2S.RX, a microphone"),
])
def test_errors(machine, code, error, error_of):
    assert error_of(machine, code) == error


def test_how_it_prints(machine):
    assert machine.exec(f"print(I2S(0, {ARGS}))") == (  # extmod/machine_i2s.c:344
        "I2S(id=0,\nsck=14,\nws=15,\nsd=32,\nmode=1,\nbits=16, format=0,\nrate=16000, ibuf=8000)\n")


def numbers(request):
    """A microphone whose samples count up."""
    _, first, frames = request.args
    return np.arange(first, first + frames, dtype="<u2").tobytes()


def test_it_blocks_until_the_samples_were_taken(machine, asked):
    asked.answers[bus.I2S_READ] = numbers
    machine.exec(f"m = I2S(0, {ARGS})\nb = bytearray(3200)\nstart = time.ticks_us()\nn = m.readinto(b)\n"
                 "us = time.ticks_diff(time.ticks_us(), start)")
    assert machine.eval("n") == 3200
    assert 100_000 <= machine.eval("us") < 100_100, "1600 frames at 16 kHz"
    assert np.array_equal(np.frombuffer(machine.eval("bytes(b)"), "<u2"), np.arange(1600))
    machine.exec("m.readinto(b)")
    assert np.frombuffer(machine.eval("bytes(b)"), "<u2")[0] == 1600, "nothing is lost between two reads"
    assert asked.asked()[0] == (bus.I2S_START, (0, 14, 15, 32, 16000, 16, 1), b"")


def test_what_is_taken_too_late_is_lost(machine, asked):
    asked.answers[bus.I2S_READ] = numbers
    machine.exec(f"m = I2S(0, {ARGS})\nb = bytearray(200)\ntime.sleep(1)\nm.readinto(b)")
    first = np.frombuffer(machine.eval("bytes(b)"), "<u2")[0]
    assert 16_000 - 1000 <= first < 16_000 - 1000 + 10, "8000 bytes of ibuf hold 1000 frames of 8 bytes"


def test_a_callback_comes_when_the_buffer_is_full(machine, asked):
    asked.answers[bus.I2S_READ] = numbers
    machine.exec(f"m = I2S(0, {ARGS})\nfull = []\nm.irq(lambda i: full.append((i is m, b[2], time.ticks_ms())))\n"
                 "b = bytearray(320)\nt = time.ticks_ms()\nn = m.readinto(b)\nbefore = (n, b[2], list(full))\n"
                 "time.sleep_ms(50)")
    assert machine.eval("before") == (320, 0, [])
    (same, second, ms), = machine.eval("full")
    assert (same, second) == (True, 1) and machine.eval("time.ticks_diff(%d, t)" % ms) == 10  # noqa: UP031


def test_shift(machine):
    machine.exec("b = bytearray(b'\\x01\\x00\\xff\\xff\\x00\\x40')\nI2S.shift(buf=b, bits=16, shift=1)")
    assert np.frombuffer(machine.eval("bytes(b)"), "<i2").tolist() == [2, -2, -32768]
    machine.exec("b = bytearray(b'\\xfc\\xff\\xff\\xff')\nI2S.shift(buf=b, bits=32, shift=-1)")
    assert np.frombuffer(machine.eval("bytes(b)"), "<i4").tolist() == [-2]


def test_the_worlds_sound_reaches_the_program(machine):
    from edgekit.simulator.chips.inmp441 import INMP441
    machine.world.microphone(0, INMP441(machine.world.sense_sound, noise=False))
    machine.world.set(sound=lambda time_s: 0.5 * np.sin(2 * np.pi * 1000 * time_s))
    machine.exec(f"m = I2S(0, {changed(bits=32)})\nb = bytearray(4 * 1600)\nm.readinto(b)\nm.readinto(b)")
    machine.world.set(sound=0)
    samples = np.frombuffer(machine.eval("bytes(b)"), "<i4") / 2 ** 31
    loudest_hz = np.argmax(np.abs(np.fft.rfft(samples))) * 16000 / 1600
    assert loudest_hz == 1000 and 0.1 < np.abs(samples).max() <= 1
