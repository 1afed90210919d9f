"""The simulated board: MicroPython's WebAssembly build under Node, and the world around it in Python.

``host.mjs`` (with ``reader.mjs``, ``watcher.mjs``, ``flash.mjs``, ``shared.mjs``) runs MicroPython and knows only bytes;
``rom/`` gives it ``machine``, ``time``, ``os`` and so on as a board has them; :mod:`~edgekit.simulator.engine` starts
it; :mod:`~edgekit.simulator.bus` is the wire between it and :mod:`~edgekit.simulator.world` with its ``chips/``.
:mod:`~edgekit.simulator.ports` lends it to other programs: ``edgekit sim``.
"""
