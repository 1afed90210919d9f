"""From a model file to a board that recognises: a Bundle, a copy that is whole or not at all, and proof of equality."""

from edgekit.deploy.bundle import Bundle, fall_bundle, gesture_bundle, keyword_bundle
from edgekit.deploy.live import Event, LiveScore, listen_live, recognise_live, score_events
from edgekit.deploy.parity import Parity, parity

__all__ = ["Bundle", "gesture_bundle", "keyword_bundle", "fall_bundle", "Parity", "parity", "Event", "recognise_live", "listen_live", "LiveScore",
           "score_events"]
