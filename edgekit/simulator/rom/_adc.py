"""machine.ADC and machine.ADCBlock."""

import _bus
import _chip
from _args import to_int
from _host import spend as _spend
from _pin import number_of

_DB = (0, 2, 6, 11)
_CONVERSION_US = 40


class ADCBlock:
    """One of the chip's converters."""

    _blocks = {}

    def __new__(cls, unit, **kwargs):
        if not 0 <= to_int(unit) < (2 if _chip.adc_pins is None else len(_chip.adc_pins)):
            raise ValueError("invalid block id")
        block = cls._blocks.get(unit)
        if block is None:
            block = cls._blocks[unit] = object.__new__(cls)
            block._unit = unit
            block._bits = 12
        return block

    def __init__(self, unit, *, bits=-1):
        self.init(bits=bits)

    def init(self, *, bits=-1):
        self._set_bits(bits)

    def _set_bits(self, bits):
        if to_int(bits) not in _chip.adc_bits:
            raise ValueError("invalid bit-width")
        self._bits = bits

    def connect(self, channel, pin=None, *, atten=-1):
        pins = () if _chip.adc_pins is None else _chip.adc_pins[self._unit]
        if isinstance(channel, int) and 0 <= channel < len(pins):
            if pin is None or number_of(pin) == pins[channel]:
                return ADC(pins[channel], atten=atten)
        elif pin is None and not isinstance(channel, int) and number_of(channel) in pins:
            return ADC(channel, atten=atten)
        raise ValueError("no matching ADC")

    def __repr__(self):
        return "ADCBlock(%d, bits=%d)" % (self._unit, self._bits)


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_9BIT = 9
    WIDTH_10BIT = 10
    WIDTH_11BIT = 11
    WIDTH_12BIT = 12

    def __init__(self, pin, *, atten=-1):
        self._id = number_of(pin)
        self._block = _block_of(self._id)
        self._answer = bytearray(6)
        self.init(atten=atten)

    def init(self, *, atten=-1):
        self.atten(ADC.ATTN_11DB if to_int(atten) == -1 else atten)
        self._block._bits = 12

    def deinit(self):
        pass

    def block(self):
        return self._block

    def atten(self, atten):
        if not 0 <= to_int(atten) <= 3:
            raise ValueError("invalid attenuation")
        self._atten = atten
        self._request = bytes((_bus.ADC_READ, self._id, _DB[atten]))

    def width(self, bits):
        self._block._set_bits(bits)

    def _convert(self):
        _bus.send(self._request)
        _bus.receive(self._answer)
        _spend(_CONVERSION_US)
        _bus.handle()

    def read(self):
        self._convert()
        return (self._answer[0] | self._answer[1] << 8) >> (16 - self._block._bits)

    def read_u16(self):
        raw = self.read()
        bits = self._block._bits
        return (raw << (16 - bits) | raw >> (2 * bits - 16)) & 0xFFFF

    def read_uv(self):
        self._convert()
        a = self._answer
        return a[2] | a[3] << 8 | a[4] << 16 | a[5] << 24

    def __repr__(self):
        return "ADC(Pin(%d), atten=%d)" % (self._id, self._atten)


def _block_of(pin):
    if _chip.adc_pins is None:
        return _block(0)
    for unit, pins in enumerate(_chip.adc_pins):
        if pin in pins:
            return _block(unit)
    raise ValueError("invalid pin")


def _block(unit):
    return ADCBlock._blocks.get(unit) or ADCBlock(unit, bits=12)
