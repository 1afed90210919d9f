"""Adafruit's CircuitPython drivers, unmodified, read from the simulated chips what the world has."""

import importlib.util
import sys
import time
from math import radians
from pathlib import Path

import pytest

from edgekit.simulator.chips.apds9960 import APDS9960
from edgekit.simulator.chips.bmp280 import BMP280
from edgekit.simulator.chips.hts221 import HTS221
from edgekit.simulator.chips.lps22hb import LPS22HB
from edgekit.simulator.chips.lsm6dsox import LSM6DSOX
from edgekit.simulator.chips.lsm9ds1 import LSM9DS1, LSM9DS1Magnetometer
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.world import World

_spec = importlib.util.spec_from_file_location("circuitpython", Path(__file__).parent / "circuitpython.py")
circuitpython = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(circuitpython)

G = 9.80665
ACCEL_G = (0.25, -0.5, 0.8125)
GYRO_DPS = (12.5, -80.0, 200.0)


@pytest.fixture
def board():
    world = World()
    world.set(accel_g=ACCEL_G, gyro_dps=GYRO_DPS, mag_gauss=(0.21, -0.05, 0.43), temperature_c=21.75,
              humidity_percent=43.2, pressure_hpa=987.65)
    with circuitpython.CircuitPython(world) as running:
        yield running


def near(expected, step):
    """Equal within half a step of the converter (and what floats round away)."""
    return pytest.approx(expected, abs=0.501 * step)


def test_the_shim_leaves_nothing_behind():
    before = set(sys.modules)
    with circuitpython.CircuitPython(World()) as running:
        running.driver("adafruit_bmp280")
        assert "adafruit_bmp280" in sys.modules
        started_s = time.monotonic()
        sys.modules["time"].sleep(3600)
        assert time.monotonic() - started_s < 60 and running.world.time_s == 3600
    assert sys.modules["time"] is time
    assert not [name for name in set(sys.modules) - before if name.startswith(("adafruit", "busio", "micropython"))]


def test_a_chip_that_is_not_there(board):
    with pytest.raises(ValueError, match="No I2C device at address: 0x77"):
        board.driver("adafruit_bmp280").Adafruit_BMP280_I2C(board.i2c())


def spi_pins(board, *chips):
    pins = []
    for number, chip in enumerate(chips, 5):
        board.world.attach(chip, cs=number)
        pins.append(circuitpython.DigitalInOut(board, number))
    return pins


@pytest.mark.parametrize("wires", ["i2c", "spi"])
def test_lsm9ds1(board, wires):
    driver = board.driver("adafruit_lsm9ds1")
    chips = LSM9DS1(board.world.sense), LSM9DS1Magnetometer(board.world.sense)
    if wires == "i2c":
        for chip in chips:
            board.world.attach(chip)
        sensor = driver.LSM9DS1_I2C(board.i2c())
    else:
        sensor = driver.LSM9DS1_SPI(board.spi(), *spi_pins(board, *chips))
    for accel, mg in ((driver.ACCELRANGE_2G, 0.061), (driver.ACCELRANGE_4G, 0.122), (driver.ACCELRANGE_8G, 0.244),
                      (driver.ACCELRANGE_16G, 0.732)):
        sensor.accel_range = accel
        board.sleep(0.2)
        assert list(sensor.acceleration) == near([g * G for g in ACCEL_G], mg / 1000 * G)
    for scale, mdps in ((driver.GYROSCALE_245DPS, 8.75), (driver.GYROSCALE_500DPS, 17.5),
                        (driver.GYROSCALE_2000DPS, 70)):
        sensor.gyro_scale = scale
        board.sleep(0.2)
        assert list(sensor.gyro) == near([radians(dps) for dps in GYRO_DPS], radians(mdps / 1000))
    for gain, mgauss in ((driver.MAGGAIN_4GAUSS, 0.14), (driver.MAGGAIN_8GAUSS, 0.29), (driver.MAGGAIN_12GAUSS, 0.43),
                         (driver.MAGGAIN_16GAUSS, 0.58)):
        sensor.mag_gain = gain
        board.sleep(0.2)
        assert list(sensor.magnetic) == near([0.21, -0.05, 0.43], mgauss / 1000)
    # The driver's temperature takes the 12 bits for left-justified, which they are not: it stays near 27.5.


def test_lsm6dsox(board):
    board.world.attach(LSM6DSOX(board.world.sense))
    package = board.driver("adafruit_lsm6ds")
    sensor = board.driver("adafruit_lsm6ds.lsm6dsox").LSM6DSOX(board.i2c())
    for range_g, mg in ((2, 0.061), (4, 0.122), (8, 0.244), (16, 0.488)):
        sensor.accelerometer_range = getattr(package.AccelRange, f"RANGE_{range_g}G")
        assert sensor.acceleration == near([g * G for g in ACCEL_G], mg / 1000 * G)
    for range_dps, mdps in ((250, 8.75), (500, 17.5), (1000, 35), (2000, 70)):
        sensor.gyro_range = getattr(package.GyroRange, f"RANGE_{range_dps}_DPS")
        assert sensor.gyro == near([radians(dps) for dps in GYRO_DPS], radians(mdps / 1000))
    assert sensor.temperature == near(21.75, 1 / 256)
    sensor.accelerometer_data_rate = package.Rate.RATE_12_5_HZ
    assert sensor.accelerometer_data_rate == package.Rate.RATE_12_5_HZ


def test_hts221(board):
    board.world.attach(HTS221(board.world.sense))
    driver = board.driver("adafruit_hts221")
    sensor = driver.HTS221(board.i2c())
    board.sleep(0.1)
    assert sensor.humidity_data_ready and sensor.temperature_data_ready
    assert sensor.relative_humidity == near(43.2, 0.004)
    assert sensor.temperature == near(21.75, 0.016)
    sensor.data_rate = driver.Rate.ONE_SHOT
    board.world.set(humidity_percent=70, temperature_c=-5)
    board.sleep(1)
    assert sensor.relative_humidity == near(43.2, 0.004), "no new measurement yet"
    sensor.take_measurements()
    assert sensor.relative_humidity == near(70, 0.004)
    assert sensor.temperature == near(-5, 0.016)


def test_lps22hb(board):
    board.world.attach(LPS22HB(board.world.sense), address=0x5D)
    sensor = board.driver("adafruit_lps2x").LPS22(board.i2c())
    board.sleep(0.02)
    assert sensor.pressure == near(987.65, 1 / 4096)
    assert sensor.temperature == near(21.75, 0.01)


@pytest.mark.parametrize("wires", ["i2c", "spi"])
def test_bmp280(board, wires):
    driver = board.driver("adafruit_bmp280")
    chip = BMP280(board.world.sense)
    if wires == "i2c":
        board.world.attach(chip, address=0x77)
        sensor = driver.Adafruit_BMP280_I2C(board.i2c())
    else:
        sensor = driver.Adafruit_BMP280_SPI(board.spi(), *spi_pins(board, chip))
    # Tables 4 and 5: 0.0025 degrees with 2 samples of the temperature; 0.16 Pa with 16 of the pressure. The driver
    # cuts its t_fine to whole numbers, 1/5120 degree.
    assert sensor.temperature == near(21.75, 0.0030)
    assert sensor.pressure == pytest.approx(987.65, abs=0.002)
    sensor.mode = driver.MODE_NORMAL
    sensor.iir_filter = driver.IIR_FILTER_X4
    board.world.set(pressure_hpa=1000, temperature_c=30)
    board.sleep(5)
    assert sensor.temperature == near(30, 0.0030)
    assert sensor.pressure == pytest.approx(1000, abs=0.002)
    assert sensor.altitude == pytest.approx(44330 * (1 - (1000 / 1013.25) ** 0.1903), abs=0.05)


def apds9960(board):
    chip = APDS9960(board.world.sense)
    board.world.attach(chip)
    return chip, board.driver("adafruit_apds9960.apds9960").APDS9960(board.i2c())


def test_apds9960_colour_and_proximity(board):
    board.world.set(lux=150, color=(0.5, 0.3, 0.2), proximity=0.3)
    chip, sensor = apds9960(board)
    sensor.enable_color = True
    sensor.color_integration_time = 72
    board.sleep(1)  # the first round still takes the 712 ms of before
    assert sensor.color_data_ready
    clear = 150 * 0.042 * 4 * 72
    assert sensor.color_data == pytest.approx((clear * 0.5, clear * 0.3, clear * 0.2, clear), abs=1)
    sensor.enable_proximity = True
    sensor.proximity_gain = 3
    board.sleep(0.5)
    assert sensor.proximity == round(255 * 0.3**2 * 8), "gain 8; light grows with the square"


def test_apds9960_proximity_interrupt(board):
    board.world.set(proximity=lambda time_s: 0.5 if time_s > 2 else 0.0)
    chip, sensor = apds9960(board)
    sensor.enable_proximity = True
    sensor.enable_proximity_interrupt = True
    assert chip.level(round(board.time_us)) == 1
    board.sleep(3)
    assert chip.level(round(board.time_us)) == 0
    sensor.enable_proximity_interrupt = False
    sensor.clear_interrupt()
    assert chip.level(round(board.time_us)) == 1


@pytest.mark.parametrize("code, direction", [(1, "up"), (2, "down"), (3, "left"), (4, "right")])
def test_apds9960_gestures(board, code, direction):
    chip, sensor = apds9960(board)
    sensor.enable_proximity = True
    sensor.proximity_gain = 2
    sensor.enable_gesture = True
    assert sensor.gesture() == 0
    chip.swipe(direction, 1.0, 0.3)
    found = []
    while board.time_us < 2e6:
        found.append(sensor.gesture())
        board.sleep(0.01)
    assert [gesture for gesture in found if gesture] == [code]


def test_mpu6050(board):
    board.world.attach(MPU6050(board.world.sense))
    driver = board.driver("adafruit_mpu6050")
    sensor = driver.MPU6050(board.i2c())
    for setting, range_g in enumerate((2, 4, 8, 16)):
        sensor.accelerometer_range = setting
        assert sensor.acceleration == near([g * G for g in ACCEL_G], range_g / 32768 * G)
    for setting, per_dps in enumerate((131, 65.5, 32.8, 16.4)):
        sensor.gyro_range = setting
        # The driver rounds the counts per degree: one part in a thousand, of 200.
        assert sensor.gyro == pytest.approx([radians(dps) for dps in GYRO_DPS], abs=radians(0.2 + 0.5 / per_dps))
    assert sensor.temperature == near(21.75, 1 / 340)
    sensor.cycle_rate = driver.Rate.CYCLE_5_HZ
    sensor.cycle = True
    board.world.set(accel_g=(0, 0, 1))
    board.sleep(0.21)
    assert sensor.acceleration[2] == near(G, 16 / 32768 * G)
