"""What lies on the desk around a simulated board: the sensors and the switches of the course, wired to its pins."""

from edgekit.simulator.chips.inmp441 import INMP441
from edgekit.simulator.chips.mpu6050 import MPU6050
from edgekit.simulator.chips.sound_switch import SoundSwitch
from edgekit.simulator.world import World

__all__ = ["make_world"]


def make_world(pins: dict, seed: int = 0) -> World:
    """A world with the course's devices at the pins of a board's table.

    On its I2C bus an MPU6050, whose interrupt output goes to ``MOTION_INT``; a sound switch at ``SOUND``; an I2S
    microphone at ``MIC_ID``: each where the table has its pins.

    Parameters
    ----------
    pins : dict
        As :attr:`edgekit.board.profiles.Profile.pins`.
    seed : int
        Seed of the noise.

    Examples
    --------
    >>> from edgekit.board.profiles import get_profile
    >>> world = make_world(get_profile("esp32").pins)
    >>> [(bus, hex(address)) for bus, address, _ in world.chips()]
    [(0, '0x68')]
    >>> [part.name for part in world.parts if part.kind == "servo"]
    ['SERVO']
    """
    world = World(seed)
    world.name_pins(pins)
    motion = MPU6050(world.sense)
    world.attach(motion, bus=pins["I2C_ID"])
    if "MOTION_INT" in pins:
        world.wire(motion, pins["MOTION_INT"])
    if "SOUND" in pins:
        world.wire(SoundSwitch(world), pins["SOUND"])
    if "MIC_ID" in pins:
        world.microphone(pins["MIC_ID"], INMP441(world.sense_sound, seed=seed))
    return world
