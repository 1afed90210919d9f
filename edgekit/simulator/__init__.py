"""The simulated board: MicroPython on this computer, and the world around it in Python.

``host.mjs`` (with ``reader.mjs``, ``watcher.mjs``, ``flash.mjs``, ``shared.mjs``) runs MicroPython and knows only bytes;
``rom/`` gives it ``machine``, ``time``, ``os`` and so on as a board has them; :mod:`~edgekit.simulator.engine` starts
it. :mod:`~edgekit.simulator.unix` does the same with a ``micropython`` that is installed. The
:mod:`~edgekit.simulator.bus` is the wire between either and the :mod:`~edgekit.simulator.world`: quantities, pins, buses,
faults, and the devices in ``chips/``; :mod:`~edgekit.simulator.desk` puts together what the course uses.
:mod:`~edgekit.simulator.ports` lends the board to other programs: ``edgekit sim``.
"""
