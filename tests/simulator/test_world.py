"""The world answers the board's requests, and notebooks change it."""

import errno
import threading

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.recording import Recording
from edgekit.simulator import bus
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.world import World


def ask(world, op, time_us, *args, data=b""):
    return bus.parse_answer(world.transaction(bus.pack(op, time_us, *args, data=data)))


def motion(samples, channels=("ax", "ay", "az"), units=("g", "g", "g"), rate_hz=100.0):
    return Recording(np.asarray(samples, np.float32), rate_hz, channels, units)


def adc_volts(world, pin, time_us=0, attenuation_db=11):
    payload, number, _ = ask(world, bus.ADC_READ, time_us, pin, attenuation_db)
    assert number == 0
    return int.from_bytes(payload[:2], "little"), int.from_bytes(payload[2:], "little", signed=True) / 1e6


def test_time_comes_from_the_board_and_never_goes_back():
    world = World()
    ask(world, bus.NOTE_TIME, 2_500_000)
    assert world.time_s == 2.5
    ask(world, bus.NOTE_TIME, 1_000_000)
    assert world.time_s == 2.5


def test_a_recording_plays_once_then_the_constants_are_back():
    world = World()
    world.set(accel_g=(0, 0, -1))
    world.play(motion([[1, 2, 3], [4, 5, 6]]), at_s=1.0)
    assert world.sense("accel_g", 999_999) == (0, 0, -1)
    assert world.sense("accel_g", 1_000_000) == (1, 2, 3)
    assert world.sense("accel_g", 1_010_000) == (4, 5, 6)
    assert world.sense("accel_g", 1_020_000) == (0, 0, -1)


def test_a_loop_starts_again_until_it_is_stopped():
    world = World()
    world.play(motion([[1, 0, 0], [2, 0, 0]]), loop=True)
    assert [world.sense("accel_g", t)[0] for t in (0, 10_000, 20_000, 30_000)] == [1, 2, 1, 2]
    world.stop()
    assert world.sense("accel_g", 0) == (0, 0, 1)


def test_units_are_converted_and_missing_channels_stay():
    world = World()
    world.play(motion([[9.80665, np.pi]], ("ay", "gz"), ("m/s2", "rad/s")))
    accel_g, gyro_dps = world.sense("accel_g", 0), world.sense("gyro_dps", 0)
    assert accel_g == pytest.approx((0, 1, 1)) and gyro_dps == pytest.approx((0, 0, 180))


def test_wrong_recordings_are_refused_with_what_was_expected():
    world = World()
    with pytest.raises(DataError, match="channels left; expected some of ax, ay, az, gx"):
        world.play(motion([[1]], ("left",), ("g",)))
    with pytest.raises(DataError, match=r"channels x, y, z; .*play\(recording, as_='accel_g'\)"):
        world.play(motion([[1, 2, 3]], ("x", "y", "z"), ("g",) * 3))
    with pytest.raises(DataError, match="Channel ax is in 'furlong'; expected one of g, m/s2"):
        world.play(motion([[1]], ("ax",), ("furlong",)))
    with pytest.raises(DataError, match=r"accel_g is three numbers.*found \(1, 2\)"):
        world.set(accel_g=(1, 2))


def test_noise_and_bias_are_the_same_for_the_same_seed_and_time():
    def sense(seed):
        world = World(seed)
        world.set_noise(accel_g=0.01, gyro_dps=1)
        world.set_bias(accel_g=(0.1, 0, 0))
        return np.array([world.sense("accel_g", t) for t in range(0, 10_000_000, 10_000)])
    first = sense(1)
    assert np.array_equal(first, sense(1)) and not np.array_equal(first, sense(2))
    assert first.mean(axis=0) == pytest.approx((0.1, 0, 1), abs=0.002)
    assert first.std(axis=0) == pytest.approx((0.01,) * 3, rel=0.1)


def test_volts_from_a_constant_a_function_and_a_recording():
    world = World()
    assert adc_volts(world, 34) == (0, 0.0), "an open pin"
    world.adc(34, 1.65)
    raw, volts = adc_volts(world, 34)
    assert raw == pytest.approx(65535 / 2, abs=16) and volts == pytest.approx(1.65, abs=0.001)
    world.adc(34, lambda time_s: time_s)
    assert adc_volts(world, 34, 2_000_000)[1] == pytest.approx(2, abs=0.001)
    world.adc(34, Recording(np.array([500, 1500], np.float32), 10.0, ("light",), ("mV",)))
    assert adc_volts(world, 34, 2_050_000)[1] == pytest.approx(0.5, abs=0.001)
    assert adc_volts(world, 34, 9_000_000)[1] == pytest.approx(1.5, abs=0.001)


def test_volts_beyond_the_range_give_the_largest_number():
    world = World()
    world.adc(34, 5.0)
    assert adc_volts(world, 34) == (65535, 3.3)
    world.adc(34, 1.65)
    assert adc_volts(world, 34, attenuation_db=0) == (65535, 1.1)
    world.adc(34, -1)
    assert adc_volts(world, 34) == (0, 0.0)


def test_a_function_that_fails_does_not_hang_the_board():
    world = World()
    world.adc(34, lambda time_s: 1 / 0)
    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        payload, number, _ = ask(world, bus.ADC_READ, 0, 34, 11)
    assert number == errno.EIO


def test_a_button_pulls_its_pin_down():
    world = World()
    ask(world, bus.PIN_MODE, 0, 0, bus.MODE_IN, bus.PULL_UP)
    assert ask(world, bus.PIN_GET, 1000, 0)[0] == b"\x01"
    world.press(0)
    assert ask(world, bus.PIN_GET, 2000, 0)[0] == b"\x00"
    world.release(0, at_s=0.005)
    assert ask(world, bus.PIN_GET, 4999, 0)[0] == b"\x00"
    assert ask(world, bus.PIN_GET, 5000, 0)[0] == b"\x01"


def test_output_levels_and_their_history():
    world = World()
    ask(world, bus.PIN_MODE, 0, 2, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.PIN_SET, 1_000_000, 2, 1)
    assert world.pin(2) == 1
    ask(world, bus.PIN_SET, 1_500_000, 2, 1)
    ask(world, bus.PIN_SET, 2_000_000, 2, 0)
    assert world.pin_history(2) == [(1.0, 1), (2.0, 0)]


def test_pwm_and_its_history():
    world = World()
    assert world.pwm(25) is None and world.pwm_history(25) == []
    ask(world, bus.PWM_SET, 1_000_000, 25, 50, 16384)
    assert world.pwm(25) == (50, 0.25)
    ask(world, bus.PWM_SET, 1_500_000, 25, 50, 16384)
    ask(world, bus.PWM_SET, 2_000_000, 25, 40_000_000, 65535)
    ask(world, bus.PWM_SET, 3_000_000, 25, 0, 0)
    assert world.pwm(25) is None
    assert world.pwm_history(25) == [(1.0, 50, 0.25), (2.0, 40_000_000, 1.0), (3.0, 0, 0.0)]


@pytest.mark.parametrize("op, args", [(bus.PIN_MODE, (25, bus.MODE_OUT, bus.PULL_NONE)), (bus.RESET, ())])
def test_a_pin_mode_or_a_reset_ends_pwm(op, args):
    world = World()
    ask(world, bus.PWM_SET, 0, 25, 50, 16384)
    ask(world, op, 1_000_000, *args)
    assert world.pwm(25) is None and world.pwm_history(25)[-1] == (1.0, 0, 0.0)


@pytest.mark.parametrize("pulse_us, deg", [(500, 0), (1000, 45), (1500, 90), (2500, 180), (400, 0), (3000, 180)])
def test_a_pulse_is_a_servos_angle(pulse_us, deg):
    world = World()
    for freq_hz in (50, 333):
        ask(world, bus.PWM_SET, 0, 25, freq_hz, round(pulse_us * freq_hz * 65536 / 1e6))
        assert world.servo_deg(25) == pytest.approx(deg, abs=0.02)


def test_a_servo_without_pulses_has_no_angle():
    world = World()
    assert world.servo_deg(25) is None
    for duty_u16 in (0, 65535):
        ask(world, bus.PWM_SET, 0, 25, 50, duty_u16)
        assert world.servo_deg(25) is None


def test_a_sleep_ends_at_the_first_interrupt():
    world = World()
    ask(world, bus.PIN_MODE, 0, 0, bus.MODE_IN, bus.PULL_UP)
    ask(world, bus.PIN_IRQ, 0, 0, bus.EDGE_FALLING)
    world.press(0, at_s=0.3)
    world.release(0, at_s=0.4)
    payload, _, irqs = ask(world, bus.SLEEP_UNTIL, 0, 1_000_000)
    assert (int.from_bytes(payload, "little"), irqs) == (300_000, [(0, bus.EDGE_FALLING)])
    payload, _, irqs = ask(world, bus.SLEEP_UNTIL, 300_000, 1_000_000)
    assert (int.from_bytes(payload, "little"), irqs) == (1_000_000, []), "a release is no falling edge"


def test_reset_forgets_interrupts_and_switches_outputs_off():
    world = World()
    ask(world, bus.PIN_MODE, 0, 2, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.PIN_SET, 0, 2, 1)
    ask(world, bus.PIN_IRQ, 0, 0, bus.EDGE_FALLING | bus.EDGE_RISING)
    ask(world, bus.RESET, 10)
    world.drive(0, 1)
    assert world.pin(2) == 0
    assert ask(world, bus.NOTE_TIME, 20)[2] == []


def test_chips_answer_at_their_address_only():
    world = World()
    world.attach(MPU6050(world.sense), bus=0)
    assert ask(world, bus.I2C_SCAN, 0, 0, 22, 21)[0] == b"\x68"
    assert ask(world, bus.I2C_SCAN, 0, bus.SOFT_BUS, 22, 21)[0] == b"\x68"
    assert ask(world, bus.I2C_SCAN, 0, 1, 22, 21)[0] == b""
    assert ask(world, bus.I2C_WRITE_READ, 0, 0, 22, 21, 0x68, 1, data=b"\x75")[0] == b"\x68"
    assert ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x69, 1, data=b"\x75")[1] == errno.ENODEV
    with pytest.raises(DataError, match="has a chip at address 0x68 already"):
        world.attach(MPU6050(world.sense), bus=0)


def test_a_cut_wire_and_its_repair():
    world = World()
    world.attach(MPU6050(world.sense), bus=0)
    world.fault("silent", address=0x68)
    assert ask(world, bus.I2C_SCAN, 0, 0, 22, 21)[0] == b""
    assert ask(world, bus.I2C_READ, 0, 0, 22, 21, 0x68, 1, 6)[1] == errno.ENODEV
    world.mend()
    assert ask(world, bus.I2C_SCAN, 0, 0, 22, 21)[0] == b"\x68"
    world.detach(0, 0x68)
    with pytest.raises(DataError, match="No I2C chip at address 0x68. Chips there: none"):
        world.fault("silent", address=0x68)


def test_a_notebook_and_the_board_at_the_same_time():
    world = World()
    world.attach(MPU6050(world.sense))
    ask(world, bus.I2C_WRITE, 0, 0, 22, 21, 0x68, 1, data=b"\x6b\x01")
    failures = []

    def board():
        for i in range(2000):
            payload, number, _ = ask(world, bus.I2C_WRITE_READ, 1000 * i, 0, 22, 21, 0x68, 14, data=b"\x3b")
            if number or len(payload) != 14 or payload[:2] != payload[2:4]:
                failures.append((number, payload))

    thread = threading.Thread(target=board)
    thread.start()
    value = 0
    while thread.is_alive():
        value = (value + 1) % 100
        world.set(accel_g=(value / 100, value / 100, 0))
        world.press(0)
        world.release(0)
    thread.join()
    assert failures == []


def test_pins_have_numbers_or_names_of_an_stm32():
    world = World()
    ask(world, bus.PIN_MODE, 0, 45, bus.MODE_OUT, bus.PULL_NONE)
    ask(world, bus.PIN_SET, 0, 45, 1)
    assert world.pin("PC13") == world.pin("C13") == 1
    with pytest.raises(DataError, match="No pin 'LED': expected a number from 0 to 127.*or a name such as 'PC13'"):
        world.press("LED")


def test_devices_lists_what_was_connected_and_where():
    class Device:
        ADDRESS = 0x44

        def level(self, time_us):
            return 0

    world, chips = World(), [Device() for _ in range(6)]
    world.attach(chips[0])
    world.wire(chips[1], 33)
    world.microphone(0, chips[2])
    world.onewire(5, chips[3])
    world.dht(4, chips[4])
    world.adc(34, part := lambda time_s: 1.0)
    assert [(device, where) for device, where in world.devices()] == [
        (chips[0], "address 0x44"), (chips[2], "I2S 0"), (chips[1], "pin 33"), (chips[3], "pin 5"), (chips[4], "pin 4"),
        (part, "pin 34")]


def test_driven_tells_an_output_from_an_input():
    world = World()
    assert world.driven(2) is None
    world.transaction(bus.pack(bus.PIN_SET, 0, 2, 0))
    world.transaction(bus.pack(bus.PIN_MODE, 0, 2, bus.MODE_OUT, bus.PULL_NONE))
    assert world.driven(2) == 0
