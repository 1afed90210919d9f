"""What differs between the boards' chips, as far as it costs nothing. Pins: ports/esp32/machine_pin.h of MicroPython;
of an STM32's buses: mpconfigboard.h of its board."""

esp32 = False  # an ESP32 of any kind
stm32 = False  # its I2C takes no pins, and it has no machine.PWM
pins = None  # numbers of its pins; None: any
input_only = ()
rtc_pins = ()  # pins that wake it with esp32.wake_on_ext0() and ext1
adc_pins = None  # for each of its converters the pin of each channel; None: any pin, one converter
adc_bits = (12,)
i2c_pins = ((18, 19), (25, 26))  # (scl, sda) for each bus
spi_pins = ((14, 13, 12), (18, 23, 19))  # (sck, mosi, miso) for SPI 1, 2
uarts = 3
timers = 4
i2s = 2
max_mhz = 240

_STM32_I2C = {"WEACT_F411_BLACKPILL": ((22, 23), (26, 25), (8, 24)),  # PB6 PB7, PB10 PB9, PA8 PB8
              "NUCLEO_F446RE": ((24, 25), (26, 19), (8, 41)),  # PB8 PB9, PB10 PB3, PA8 PC9
              "PYBV11": ((22, 23), (26, 27))}  # PB6 PB7, PB10 PB11


def choose(platform, build):
    """``platform`` and ``build``: ``sys.platform`` and ``sys.implementation._build`` of the board."""
    global esp32, stm32, pins, input_only, rtc_pins, adc_pins, adc_bits, i2c_pins, spi_pins, uarts, timers, i2s, max_mhz
    if platform == "pyboard":
        stm32 = True
        i2c_pins = ((),) + _STM32_I2C[build]
    if platform != "esp32":
        return
    esp32 = True
    if build == "ESP32_GENERIC_S3":
        pins = tuple(range(22)) + tuple(range(26, 49))
        rtc_pins = tuple(range(22))
        adc_pins = (tuple(range(1, 11)), tuple(range(11, 21)))
        i2c_pins = ((9, 8), (9, 8))
        spi_pins = ((12, 11, 13), (36, 35, 37))
    elif build == "ESP32_GENERIC_C3":
        pins = tuple(range(14)) + (18, 19, 20, 21)
        adc_pins = ((0, 1, 2, 3, 4), (5,))
        i2c_pins = ((9, 8),)
        spi_pins = ((6, 7, 2),)
        uarts, timers, i2s, max_mhz = 2, 2, 1, 160
    elif build == "LOLIN_S2_MINI":
        pins = tuple(range(22)) + tuple(range(26, 47))
        input_only = (46,)
        rtc_pins = tuple(range(22))
        adc_pins = (tuple(range(1, 11)), tuple(range(11, 21)))
        adc_bits = (13,)
        i2c_pins = ((35, 33), (9, 8))
        spi_pins = ((7, 11, 9), (36, 35, 37))
        uarts, i2s = 2, 1
    elif build == "ESP32_GENERIC_C6":
        pins = tuple(range(24))
        adc_pins = ((0, 1, 2, 3, 4, 5, 6),)
        i2c_pins = ((18, 19),)
        spi_pins = ((6, 7, 2),)
        uarts, timers, i2s, max_mhz = 2, 2, 1, 160
    else:
        pins = tuple(range(24)) + (25, 26, 27) + tuple(range(32, 40))
        input_only = (34, 35, 36, 37, 38, 39)
        rtc_pins = (0, 2, 4, 12, 13, 14, 15, 25, 26, 27) + tuple(range(32, 40))
        adc_pins = ((36, 37, 38, 39, 32, 33, 34, 35), (4, 0, 2, 15, 13, 12, 14, 27, 25, 26))
        adc_bits = (9, 10, 11, 12)
