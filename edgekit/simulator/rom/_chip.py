"""What differs between the boards' chips, as far as it costs nothing. Pins: ports/esp32/machine_pin.h of MicroPython."""

esp32 = False  # an ESP32 of any kind
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


def choose(platform, build):
    """``platform`` and ``build``: ``sys.platform`` and ``sys.implementation._build`` of the board."""
    global esp32, pins, input_only, rtc_pins, adc_pins, adc_bits, i2c_pins, spi_pins, uarts, timers, i2s, max_mhz
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
    else:
        pins = tuple(range(24)) + (25, 26, 27) + tuple(range(32, 40))
        input_only = (34, 35, 36, 37, 38, 39)
        rtc_pins = (0, 2, 4, 12, 13, 14, 15, 25, 26, 27) + tuple(range(32, 40))
        adc_pins = ((36, 37, 38, 39, 32, 33, 34, 35), (4, 0, 2, 15, 13, 12, 14, 27, 25, 26))
        adc_bits = (9, 10, 11, 12)
