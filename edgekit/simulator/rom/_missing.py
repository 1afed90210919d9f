"""Modules whose hardware the simulated board lacks: they can be imported, and say so when they are used."""


class Missing:
    def __init__(self, name, what, instead):
        self._name = name
        self._says = "the simulated board has no %s, so no %s.%%s: %s" % (what, name, instead)

    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        raise AttributeError(self._says % name)

    def __repr__(self):
        return "<module '%s'>" % self._name


_REAL = "use a real board for that"
_RADIO = {
    "network": ("radio", _REAL),
    "socket": ("network", "take what you need with board.put(), or use a real board"),
    "espnow": ("radio", _REAL),
    "bluetooth": ("radio", _REAL),
}


def add_to(modules, radio):
    """``radio``: whether the board that this one stands for has one."""
    modules["camera"] = Missing("camera", "camera", "take pictures with the computer's and send them with board.put()")
    if radio:
        for name, (what, instead) in _RADIO.items():
            modules[name] = Missing(name, what, instead)
