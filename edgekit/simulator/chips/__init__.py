"""Devices around the simulated board, one file each: what is on the wire, as their data sheets say.

What a device has, by the way it is connected; times are microseconds of the world's clock, as integers. The world
holds its lock while it calls them, one call at a time.

I2C (``world.attach(chip, bus, address)``)
    ``ADDRESS``; ``write(data, time_us) -> int``, how many bytes it acknowledged; ``read(count, time_us) -> bytes``.
SPI (``world.attach(chip, cs=pin)``)
    ``select(time_us)``, ``deselect(time_us)``, ``transfer(data, time_us) -> bytes``, as many as came.
Interrupt outputs and other digital outputs (``world.wire(device, pin)``)
    ``level(time_us) -> 0 or 1``; ``next_change(after_us, until_us) -> int or None``: when the level changes next,
    later than ``after_us`` and not later than ``until_us``, if nobody touches the device meanwhile.
1-Wire (``world.onewire(pin, device)``)
    ``reset(time_us) -> bool``, is it present; ``write_bit(bit, time_us)``; ``read_bit(time_us) -> 0 or 1``: 1 leaves
    the wire high.
DHT (``world.dht(pin, device)``)
    ``measure(time_us) -> bytes``, the five that it sends.
I2S microphone (``world.microphone(id, device)``)
    ``record(first_us, rate_hz, frames) -> int32 array [frames, 2]``: the left and the right slot of each frame, 32
    bits with the sample at the top; ``first_us`` is a float. Same times, same samples, in whatever pieces.
Analogue (``world.adc(pin, part)``)
    ``part(time_s) -> volts``.

Chips are made with ``sense(name, time_us)``, a world's :meth:`~edgekit.simulator.world.World.sense`: it gives a number,
or a tuple for quantities with several channels. A chip that takes samples by itself also has
``catch_up(time_us)``: take those that are due, because the world is about to change. Any device may have
``power_on(time_us)``: the supply came back, forget all settings.
"""
