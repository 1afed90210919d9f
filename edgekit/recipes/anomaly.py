"""Anomaly detection on soil: the detectors of lesson 12, one way to score them, and what the board runs.

Every detector gives a list of alarms for a site. Those that have a threshold give a score for each sample first; the
threshold is chosen by cost on the validation sites, and the test sites are looked at once.

>>> from edgekit.signals.climate import make_site
>>> site = make_site("f01", days=20)
>>> alarms = watch(site)
>>> print(score([site], [alarms]))
F1 1.00: 1 of 1 event found, 0 false alarms; delay 24 (median), 24 (longest)
"""

import numpy as np

from edgekit.signals.climate import CHANNELS, LEARNING_DAYS, SAMPLES_PER_DAY
from edgekit.train.events import Event, EventScore, cheapest, match, merge, runs, total
from edgekit.twin import board_module

__all__ = ["SOIL", "HOUR", "MISSED", "FALSE", "watch", "changes", "around_events", "score", "choose", "alarms_above", "fixed_limits",
           "rolling_z", "ewma_chart", "features", "FEATURES", "forest", "autoencoder", "days_of"]

HOUR = SAMPLES_PER_DAY // 24
LEARN = LEARNING_DAYS * SAMPLES_PER_DAY
MISSED, FALSE = 2000, 200
"""What an event costs that nobody notices, and a walk to the field for nothing, in rupees. Assumed: put in your own."""

SOIL = {"streams": list(CHANNELS), "learn": LEARN, "watches": [
    {"stream": "moisture", "kind": "spike", "factor": 12, "least": 100},
    {"stream": "soil_temperature", "kind": "spike", "factor": 12, "least": 24},
    {"stream": "air_temperature", "kind": "spike", "factor": 12, "least": 48},
    {"stream": "moisture", "kind": "flat", "least": 24},
    {"stream": "soil_temperature", "kind": "flat", "least": 24},
    {"stream": "air_temperature", "kind": "flat", "least": 24},
    {"stream": "moisture", "kind": "drift", "cause": "valve", "span": HOUR, "jump": 25, "pause": 10, "rest": 48, "slack": 3,
     "most": 12, "limit": 110, "shift": 4, "off": 36},
    {"stream": "moisture", "kind": "response", "cause": "valve", "wait": 18, "least": 40, "name": "blocked"}]}
"""Settings of ``anomaly.Monitor`` for soil, chosen on seven years each of the training and validation sites. Units: 0.01
percent of moisture, 1/16 degC."""


def changes(site, settings=None) -> list[tuple[int, str, str, bool]]:
    """What the board's own file says about a site: (sample, stream, name, begun) for every alarm that begins or ends.

    Parameters
    ----------
    site : edgekit.signals.climate.Site
    settings : dict, optional
        Default :data:`SOIL`.
    """
    monitor = board_module("anomaly").Monitor(settings or SOIL)
    rows = site.recording.samples.tolist()
    return [(t, *monitor.told(i)) for t, row in enumerate(rows) for i in range(monitor.update(row, t // HOUR % 24))]


def watch(site, settings=None) -> list[Event]:
    """Alarms of the board's detectors, computed by its twin.

    Parameters
    ----------
    site : edgekit.signals.climate.Site
    settings : dict, optional
        Default :data:`SOIL`.

    Returns
    -------
    list of Event
        In samples; the kind is the watch's name.
    """
    begun, alarms = {}, []
    for t, stream, name, on in changes(site, settings):
        if on:
            begun[stream, name] = t
        else:
            alarms.append(Event(begun.pop((stream, name)), t, name))
    alarms += [Event(t, len(site.recording), name) for (_, name), t in begun.items()]
    return sorted(alarms)


def around_events(site, before=SAMPLES_PER_DAY, after=4 * HOUR, settings=None):
    """For each event of a site, what a board needs to go through it, and what it should say.

    Parameters
    ----------
    site : Site
    before, after : int
        Samples before and after the event.
    settings : dict, optional
        Default :data:`SOIL`.

    Yields
    ------
    start, stop : int
        Samples.
    rows : bytes
        The samples, int16 little endian, four for each time.
    state : bytes
        A file of ``ring.Ring`` with what the host had learned until ``start``.
    expected : list of tuple
        As :func:`changes`, of these samples.
    """
    import tempfile
    from pathlib import Path
    monitor = board_module("anomaly").Monitor(settings or SOIL)
    samples = site.recording.samples
    spans = [(label.start - before, min(label.stop + after, len(samples))) for label in site.labels]
    states, said = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for t, row in enumerate(samples.tolist()):
            if any(t == start for start, _ in spans):
                log = board_module("ring").Ring(str(Path(folder) / str(t)), monitor.state_bytes, 1)
                monitor.save(log)
                log.close()
                states[t] = (Path(folder) / str(t)).read_bytes()
            said += [(t, *monitor.told(i)) for i in range(monitor.update(row, t // HOUR % 24))]
    for start, stop in spans:
        yield (start, stop, samples[start:stop].astype("<i2").tobytes(), states[start],
               [one for one in said if start <= one[0] < stop])


def score(sites, alarms) -> EventScore:
    """Alarms of several sites against their labels, always with the same rules.

    An event is found by an alarm that begins in it, or within an hour after it: a filter sees a spike late. A day after
    an event counts neither way. False alarms within a day are one walk.

    Parameters
    ----------
    sites : sequence of Site
    alarms : sequence of list of Event
    """
    return total(match(site.labels, found, early=HOUR, grace=HOUR, late=SAMPLES_PER_DAY, merge_within=SAMPLES_PER_DAY)
                 for site, found in zip(sites, alarms, strict=True))


def alarms_above(values, threshold) -> list[Event]:
    """Where a score is above a threshold, after the learning days; pauses of less than six hours are none.

    Parameters
    ----------
    values : array of float, shape [n]
    threshold : float
    """
    flags = np.asarray(values) > threshold
    flags[:LEARN] = False
    return merge(runs(flags), gap=6 * HOUR)


def choose(sites, values, missed=MISSED, false=FALSE, steps=40):
    """The threshold that costs least on some sites.

    Parameters
    ----------
    sites : sequence of Site
        For validation, never those of the test.
    values : sequence of array, each [n]
        Score of every sample of each site.
    missed, false : float
        Costs.
    steps : int
        How many thresholds are tried: quantiles of the scores, denser towards the top.

    Returns
    -------
    threshold : float
    thresholds : numpy.ndarray, shape [steps]
    costs : list of float
        Of each threshold.
    """
    everything = np.concatenate([value[LEARN:] for value in values])
    thresholds = np.unique(np.quantile(everything, 1 - np.geomspace(0.3, 1e-5, steps)))
    scores = [score(sites, [alarms_above(value, threshold) for value in values]) for threshold in thresholds]
    return (cheapest(thresholds, scores, missed, false), thresholds, [one.cost(missed, false) for one in scores])


# Scores of every sample, from simple to less simple. They know the first days of a site as its normal.

def fixed_limits(sites, margin=0.0):
    """Lowest and highest moisture of the learning days of some sites, in counts: what a data sheet might say."""
    learned = np.concatenate([site.recording.samples[:LEARN, 0] for site in sites])
    return float(learned.min() - margin), float(learned.max() + margin)


def rolling_z(x, window=25):
    """Distance from the median of the samples before, in units of their median deviation (Hampel 1974): [n]."""
    x = np.asarray(x, float)
    before = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(window, x[0]), x[:-1]]), window)
    median = np.median(before, axis=1)
    spread = 1.4826 * np.median(np.abs(before - median[:, None]), axis=1)
    return np.abs(x - median) / np.maximum(spread, 5)


def ewma_chart(x, share=0.02):
    """Distance from an exponentially weighted mean, in units of its deviation (Roberts 1959): [n]."""
    result, mean, spread = np.zeros(len(x)), float(x[0]), 10.0
    for i, value in enumerate(np.asarray(x, float).tolist()):
        away = abs(value - mean)
        result[i] = away / max(spread, 5)
        mean += share * (value - mean)
        spread += share * (away - spread)
    return result


FEATURES = ("level", "step", "hour", "day", "roughness", "soil_step", "air_step")


def features(site):
    """Seven numbers for each sample, in units of what was usual in the site's learning days.

    Parameters
    ----------
    site : Site

    Returns
    -------
    float32 array [n, 7]
        As :data:`FEATURES` names them: moisture from its median; its change since the last sample, an hour ago, a day
        ago; how much it moved within the last four hours; the changes of both temperatures in ten minutes.
    """
    x = site.recording.samples.astype(float)
    wet = x[:, 0]

    def since(values, samples):
        return values - np.concatenate([np.full(samples, values[0]), values])[:len(values)]

    moved = np.abs(since(wet, 1))
    total_moved = np.cumsum(moved)
    columns = [wet - np.median(wet[:LEARN]), since(wet, 1), since(wet, HOUR), since(wet, SAMPLES_PER_DAY),
               since(total_moved, 4 * HOUR), since(x[:, 1], 1), since(x[:, 2], 1)]
    columns[4] = columns[4] - np.median(columns[4][:LEARN])
    table = np.stack(columns, axis=1)
    return (table / np.maximum(np.abs(table[:LEARN]).mean(axis=0), 1e-3)).astype(np.float32)


def forest(sites, trees=40, seed=0):
    """An isolation forest (Liu, Ting and Zhou 2008) fitted on the features of some sites, whatever is in them.

    Returns
    -------
    sklearn.ensemble.IsolationForest
        ``-score_samples(features(site))`` is a score: the fewer cuts isolate a sample, the higher.
    """
    from sklearn.ensemble import IsolationForest
    rows = np.concatenate([features(site)[::5] for site in sites])
    return IsolationForest(n_estimators=trees, max_samples=256, random_state=seed).fit(rows)


def days_of(site):
    """The last 24 hourly means of moisture for each hour, less their mean, in units of the site's own: [hours, 24]."""
    wet = site.recording.samples[:, 0].astype(float)
    hourly = wet[:len(wet) // HOUR * HOUR].reshape(-1, HOUR).mean(axis=1)
    days = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(23, hourly[0]), hourly]), 24)
    days = days - days.mean(axis=1, keepdims=True)
    return days / max(np.abs(days[:LEARN // HOUR]).mean(), 1e-3)


def autoencoder(sites, width=4, seed=0):
    """A network that squeezes a day through ``width`` numbers: 24 - 12 - width - 12 - 24, fitted on learning days only.

    Returns
    -------
    function
        ``site -> score of every sample``: the mean error of the last day that it rebuilds.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from threadpoolctl import threadpool_limits
    rows = np.concatenate([days_of(site)[24:LEARN // HOUR] for site in sites])
    net = MLPRegressor(hidden_layer_sizes=(12, width, 12), activation="tanh", max_iter=150, random_state=seed)
    with warnings.catch_warnings(), threadpool_limits(1):  # so small a net is faster on one core
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(rows, rows)

    def error(site):
        days = days_of(site)
        return np.repeat(np.abs(net.predict(days) - days).mean(axis=1), HOUR)

    return error
