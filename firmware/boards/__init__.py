"""What this board calls its pins and sensors, so that apps ask and never hard-code.

Example::

    import boards

    led = boards.led()
    led.on()
    imu = boards.accelerometer(rate_hz=100)

Each board has a table: a module of this package with the names below. To add a board, copy the nearest table and
add its line to ``_TABLES``; see ``docs/add-a-board.md``.

``NAME``; ``LED`` and ``LED_ON`` (the level that lights it); ``BUTTON`` (pressed is 0); ``ADC`` (analogue input);
``I2C_ID``, ``SCL``, ``SDA`` (the motion sensor's bus); ``RELAY``; ``SERVO``; ``MOTION_INT`` (from the motion sensor's
INT pin); ``SOUND`` (from a sound switch). Where the port has ``machine.I2S``: ``MIC_ID``, ``MIC_SCK``, ``MIC_WS``,
``MIC_SD``.
"""

import os
import sys

from machine import ADC, I2C, Pin

# A part of the name that MicroPython gives the board, and the table for it. The first that fits is taken.
_TABLES = (
    ("ESP32S3", "esp32s3"),
    ("ESP32S2", "esp32s2"),
    ("ESP32C6", "esp32c6"),
    ("ESP32C3", "esp32c3"),
    ("ESP32", "esp32"),
    ("Nano 33 BLE", "nano33ble"),
    ("STM32F411", "stm32f411"),
    ("F446RE", "nucleo_f446"),
    ("PYBv1", "pyboard"),
    ("Raspberry Pi Pico", "rp2040"),
)


def machine_name():
    """What MicroPython calls this board, for example ``Generic ESP32 module with ESP32``."""
    try:
        return os.uname().machine
    except AttributeError:  # ports without os.uname
        return sys.implementation._machine


def _table_for(name):
    plain = name.lower().replace("-", "")  # ESP32-C3 and ESP32C3 are the same chip
    for part, table in _TABLES:
        if part.lower() in plain:
            return getattr(__import__("boards." + table), table)
    raise RuntimeError("the board %r is not known here; known are boards with %s in their name. "
                       "Copy the nearest table in /boards and add a line for yours"
                       % (name, ", ".join(part for part, _ in _TABLES)))


pins = _table_for(machine_name())


def led():
    """The board's LED; ``on()`` lights it, whatever level that takes."""
    return _switch(pins.LED, pins.LED_ON)


def relay():
    """The pin for a relay, a buzzer or a lamp: ``on()``, ``off()``."""
    return _switch(pins.RELAY, 1)


def button():
    """The button as a ``Pin``: ``value()`` is 0 while it is pressed."""
    return Pin(pins.BUTTON, Pin.IN, Pin.PULL_UP)


def motion_interrupt():
    """The pin that the motion sensor's INT output drives: 1 after a movement, see ``sleep_until_motion``."""
    return Pin(pins.MOTION_INT, Pin.IN)


def sound_switch():
    """The digital output of a sound switch (KY-037): 1 while it is louder than its screw is set to."""
    return Pin(pins.SOUND, Pin.IN)


def microphone(rate_hz=16000, buffer_bytes=8000):
    """The I2S microphone (INMP441), 32 bits a sample, of which the upper 24 count; ``readinto(buf)`` fills ``buf``.

    A board with a microphone of its own gives that one: ``microphone.listen`` takes either.
    """
    if hasattr(pins, "microphone"):
        return pins.microphone(rate_hz)
    if not hasattr(pins, "MIC_ID"):
        raise RuntimeError("the table of the %s has no I2S microphone: its MicroPython has no machine.I2S" % pins.NAME)
    from machine import I2S
    return I2S(pins.MIC_ID, sck=Pin(pins.MIC_SCK), ws=Pin(pins.MIC_WS), sd=Pin(pins.MIC_SD), mode=I2S.RX, bits=32,
               format=I2S.MONO, rate=rate_hz, ibuf=buffer_bytes)


def adc():
    """The analogue input, set to its widest range."""
    if hasattr(ADC, "ATTN_11DB"):
        return ADC(Pin(pins.ADC), atten=ADC.ATTN_11DB)
    return ADC(Pin(pins.ADC))


def servo():
    """The servo's pin as a 50 Hz ``PWM``, still without pulses: it moves with the first ``duty_ns()``.

    ``duty_ns(1_500_000)`` is the middle. The ends are between 500_000 and 2_500_000; many servos have narrower ones.
    """
    if hasattr(pins, "servo"):
        return pins.servo()
    from machine import PWM
    return PWM(Pin(pins.SERVO), freq=50, duty_u16=0)


def i2c():
    """The bus that the motion sensor is on."""
    if sys.platform == "pyboard":  # an STM32 knows the pins of its buses and refuses to be told
        return I2C(pins.I2C_ID, freq=400000)
    return I2C(pins.I2C_ID, scl=Pin(pins.SCL), sda=Pin(pins.SDA), freq=400000)


def thermometers():
    """DS18B20 on the 1-Wire bus of pin ``ONEWIRE``, or of the servo's pin: the bus, and the sensors' addresses in order."""
    from ds18x20 import DS18X20
    from onewire import OneWire
    bus = DS18X20(OneWire(Pin(getattr(pins, "ONEWIRE", pins.SERVO))))
    return bus, sorted(bus.scan())


def accelerometer(rate_hz=100):
    """The motion sensor, +-4 g and +-500 degrees per second: what the course's gesture model was trained on."""
    if hasattr(pins, "accelerometer"):
        return pins.accelerometer(rate_hz)
    from mpu6050 import MPU6050
    return MPU6050(i2c(), accel_range_g=4, gyro_range_dps=500, rate_hz=rate_hz)


def motion_watch(rate_hz=50, accel_range_g=16):
    """An MPU6050 that can ``watch``: it keeps samples and looks for movement while the board sleeps."""
    from mpu6050 import MPU6050
    return MPU6050(i2c(), accel_range_g=accel_range_g, gyro_range_dps=2000, rate_hz=rate_hz)


def _switch(number, on_level):
    pin = Pin(number, Pin.OUT, value=1 - on_level)
    if on_level:
        return pin
    from machine import Signal
    return Signal(pin, invert=True)
