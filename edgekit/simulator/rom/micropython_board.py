"""``micropython`` as the board has it: while ctrl-C is off, its byte is input like any other."""

import micropython

from _host import interrupt_char as _interrupt_char


class Micropython:
    def __getattr__(self, name):
        return getattr(micropython, name)

    def kbd_intr(self, chr):
        micropython.kbd_intr(chr)
        _interrupt_char(chr)

    def __repr__(self):
        return "<module 'micropython'>"
