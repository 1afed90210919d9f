"""Arduino Nano 33 BLE Sense, both revisions. Pin numbers are the chip's: 13 is P0.13, 43 is P1.11.

Its own motion sensor is on the inner I2C bus: a LSM9DS1 (first revision) or a BMI270 (second). MicroPython brings
both drivers. Not yet tried on a real one.
"""

from machine import I2C, Pin

NAME = "Nano 33 BLE Sense"
LED = 13
LED_ON = 1
BUTTON = 43  # the header pin D2, with a button to ground; the board has only a reset button
ADC = 4  # A0
I2C_ID = 1
SCL = 15
SDA = 14
RELAY = 47  # D4
SERVO = 45  # D5
MOTION_INT = 46  # D6, from the interrupt output of an MPU6050: the board's own sensor has no wire to a free pin
SOUND = 23  # D7, from the digital output of a sound switch (KY-037): 1 while it is loud


MIC_CLOCK = 26  # the microphone on the board speaks PDM, not I2S
MIC_DATA = 25
MIC_POWER = 17


def microphone(rate_hz):
    """The microphone on the board, by the nRF52840's registers."""
    from pdm import PDM, RATE_HZ
    if rate_hz != RATE_HZ:
        raise ValueError("this board's microphone gives %d samples per second, not %d" % (RATE_HZ, rate_hz))
    Pin(MIC_POWER, Pin.OUT, value=1)
    return PDM(clock=MIC_CLOCK, data=MIC_DATA)


def accelerometer(rate_hz):
    """The sensor that is found on the inner bus; else an MPU6050 that someone put there."""
    bus = I2C(I2C_ID, scl=Pin(SCL), sda=Pin(SDA), freq=400000)
    if 0x6B in bus.scan():
        from boards.polled import Polled
        from lsm9ds1 import LSM9DS1
        chip = LSM9DS1(bus, accel_scale=4, gyro_scale=500)
        return Polled(chip.accel, chip.gyro, rate_hz)
    try:
        from bmi270 import BMI270
        chip = BMI270(bus, accel_scale=4, gyro_scale=500)
    except (ImportError, OSError):
        from mpu6050 import MPU6050
        return MPU6050(bus, accel_range_g=4, gyro_range_dps=500, rate_hz=rate_hz)
    from boards.polled import Polled
    return Polled(chip.accel, chip.gyro, rate_hz)
