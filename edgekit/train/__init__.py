"""Train models that fit a board. Keras is loaded by the first call that needs it."""

from edgekit.train.augmenting import augment, other_voices
from edgekit.train.events import Event, EventScore, cheapest, match
from edgekit.train.fitting import fit, predict
from edgekit.train.nets import gesture_net, keyword_net
from edgekit.train.scores import Score, accuracy_interval, confusion, evaluate, score, subject_interval

__all__ = ["gesture_net", "keyword_net", "augment", "other_voices", "fit", "predict", "Score", "score", "evaluate",
           "accuracy_interval", "subject_interval", "confusion", "Event", "EventScore", "match", "cheapest"]
