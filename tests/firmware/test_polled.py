"""A sensor without a FIFO looks the same to an app, and admits what it missed."""

START = """
from array import array
from boards.polled import Polled
import time
samples = 0
def accel_g():
    global samples
    samples += 1
    return (samples / 8192, -1.0, 9.0)
imu = Polled(accel_g, lambda: (500 / 32768, 0.0, -600.0), 100)
block = array("h", bytes(2 * 60))
imu.start()
"""


def start(board):
    board.install("capture", modules={"boards": ["esp32", "polled"]})
    board.exec(START)


def test_counts_are_the_same_as_the_mpu6050s(board):
    start(board)
    assert board.eval("imu.read_block(block)") == 0
    assert board.eval("list(block[:6])") == [1, -8192, 32767, 1, 0, -32768]
    assert board.eval("list(block)")[0::6] == list(range(1, 11))


def test_the_period_does_not_drift(board):
    start(board)
    board.exec("before = time.ticks_us()\nfor _ in range(20):\n imu.read_block(block)\n time.sleep_ms(7)")
    assert abs(board.eval("time.ticks_diff(time.ticks_us(), before)") - 2_007_000) < 5_000


def test_a_program_that_comes_too_late_learns_how_much_it_lost(board):
    start(board)
    board.exec("imu.read_block(block)\ntime.sleep_ms(555)")
    assert board.eval("imu.read_block(block)") in (54, 55)
    assert board.eval("imu.read_block(block)") == 0
