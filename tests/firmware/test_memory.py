"""Loops on the board allocate nothing: reading a sensor into one's own buffer takes no memory."""

_COUNT = """
import gc
from array import array
import boards

imu = boards.accelerometer()
sample = array("h", [0] * 6)

def read(times):
    for _ in range(times):
        imu.read_into(sample)

def taken(times):
    gc.collect()
    before = gc.mem_alloc()
    read(times)
    return gc.mem_alloc() - before
"""


def test_reading_into_a_buffer_takes_no_memory(board):
    board.install("sensor_loop")
    board.exec(_COUNT)
    # What a first call takes may stay; more calls take no more.
    assert board.eval("taken(100)") == board.eval("taken(1)") < 100
