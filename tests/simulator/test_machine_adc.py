"""machine.ADC and ADCBlock, against ports/esp32/machine_adc.c and extmod/machine_adc_block.c."""

import pytest

from edgekit.board.simulated import SimulatedBoard


@pytest.mark.parametrize("code, error", [
    ("ADC(Pin(5))", "ValueError: invalid pin"),                       # machine_adc.c:205: no converter there
    ("ADC(34, atten=4)", "ValueError: invalid attenuation"),          # machine_adc.c:252
    ("ADC(34).atten(-2)", "ValueError: invalid attenuation"),
    ("ADC(34).width(13)", "ValueError: invalid bit-width"),           # machine_adc.c:269
    ("ADC(34, atten='x')", "TypeError: can't convert str to int"),
    ("ADCBlock(2)", "ValueError: invalid block id"),                  # machine_adc_block.c:71
    ("ADCBlock(0)", "ValueError: invalid bit-width"),                 # machine_adc_block.c:59: the default is -1
    ("ADCBlock(0, bits=12).connect(99)", "ValueError: no matching ADC"),  # machine_adc_block.c:108
    ("ADCBlock(0, bits=12).connect(0, Pin(39))", "ValueError: no matching ADC"),
])
def test_wrong_arguments(machine, code, error, error_of):
    assert error_of(machine, code) == error


def test_the_widest_range_is_the_default(machine):
    assert machine.exec("print(ADC(34))") == "ADC(Pin(34), atten=3)\n"  # machine_adc.c:169, 189: ADC_ATTEN_MAX
    assert machine.eval("(ADC.ATTN_0DB, ADC.ATTN_2_5DB, ADC.ATTN_6DB, ADC.ATTN_11DB)") == (0, 1, 2, 3)


def test_numbers_of_half_the_range(machine):
    machine.world.adc(34, 1.65)
    machine.exec("a = ADC(Pin(34))")
    assert machine.eval("a.read()") == 2048
    assert machine.eval("a.read_u16()") == 2048 << 4 | 2048 >> 8  # machine_adc.c:225: the top bits again below
    assert machine.eval("a.read_uv()") == pytest.approx(1_650_000, abs=1000)
    machine.exec("a.atten(ADC.ATTN_0DB)")
    assert machine.eval("a.read_u16()") == 65535


def test_the_width_is_the_converters(machine):
    machine.world.adc(34, 1.65)
    machine.world.adc(35, 1.65)
    machine.exec("a, b = ADC(34), ADC(35)\na.width(ADC.WIDTH_9BIT)")
    assert machine.eval("(a.read(), b.read())") == (256, 256)
    assert machine.eval("b.read_u16()") == 256 << 7 | 256 >> 2
    assert machine.exec("print(a.block())") == "ADCBlock(0, bits=9)\n"
    machine.exec("b.init()")  # machine_adc.c:190: it sets the width again
    assert machine.eval("a.read()") == 2048


def test_blocks(machine):
    # ADC1's channel 6 is pin 34, ADC2's channel 0 pin 4: machine_adc.c:75, 77.
    assert machine.exec("block = ADCBlock(0, bits=12)\nprint(block.connect(6), block.connect(Pin(34), atten=0))\n"
                        "print(ADCBlock(1, bits=12).connect(0, Pin(4)))") == (
        "ADC(Pin(34), atten=3) ADC(Pin(34), atten=0)\nADC(Pin(4), atten=3)\n")


def test_another_board_converts_on_any_pin():
    with SimulatedBoard("rp2040") as board:
        board.world.adc(26, 3.3)
        assert board.eval("__import__('machine').ADC(26).read_u16()") == 65535
