"""Boards: one interface, :class:`~edgekit.board.base.Board`, for the simulated one and for those on a USB port."""

from edgekit.board.base import Board, BoardInfo
from edgekit.board.connect import connect
from edgekit.board.profiles import PROFILES, Profile, get_profile

__all__ = ["Board", "BoardInfo", "connect", "PROFILES", "Profile", "get_profile"]
