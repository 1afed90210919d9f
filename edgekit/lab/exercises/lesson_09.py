"""Exercises of lesson 09: a zero point, a quantized neuron, calibration with six windows."""

import numpy as np

from edgekit.lab.check import exercise, number

MOST_WINDOWS = 6
MOST_LOSS = 0.02
"""What exercise 09.3 asks for: mean of the largest difference of a score, float to int8. The first six windows: 0.07."""


@exercise("09.1", hints=["Which int8 stands for -10 °C, the lower end?",
                         "-128 stands for -10 °C. How many steps of 0.2 °C is it from there to 0 °C?",
                         "-128 + 10 / 0.2 = ..."])
def zero_point(value):
    return number(value, -78, what="zero point")


@exercise("09.2", hints=["In which order did you compute with the pencil?",
                         "total = sum of (q - x_zero) * w, plus bias; then multiply, add half, shift; then add y_zero.",
                         "y = ((total * multiplier + (1 << (shift - 1))) >> shift) + y_zero, and clip it to -128 ... 127"])
def neuron(function):
    rng = np.random.default_rng(9)
    # The last two leave int8 on either side.
    for bias, case in ((2025, "a usual sum"), (-1500, "a negative sum"), (200_000, "a sum that is too large"),
                       (-200_000, "a sum that is too small")):
        q, w = (rng.integers(-128, 128, 3).tolist() for _ in range(2))
        multiplier, shift, x_zero, y_zero = 1_276_647_982, 38, -64, -14
        total = sum((a - x_zero) * b for a, b in zip(q, w, strict=True)) + bias
        steps = (total * multiplier + (1 << (shift - 1))) >> shift
        expected = max(-128, min(127, steps + y_zero))
        found = function(q, x_zero, w, bias, multiplier, shift, y_zero)
        if not float(found).is_integer():
            return f"Expected a whole number, found {found}. Shift with >> instead of dividing."
        if found == expected:
            continue
        if found in (steps + y_zero, max(-128, min(127, steps))):
            return f"For {case}: found {found}. " + ("It does not fit into int8." if found == steps + y_zero else
                                                      "The output has a zero point too.")
        return f"For {case} the answer is another one: found {found}."
    return None


@exercise("09.3", hints=["What do the first six windows of the data set have in common? Print their labels.",
                         "The converter looks for the largest value of each layer. Which windows drive the layers far?",
                         "strength = np.abs(x.astype(int)).sum(axis=(1, 2)); for each class take the window with the largest: "
                         "np.flatnonzero(y == c)[strength[y == c].argmax()]"])
def choose(function):
    from edgekit.dataset import load_dataset
    from edgekit.recipes.gesture import split

    parts = split(load_dataset("gestures"))
    x, y = parts.features("train"), parts.train.y
    chosen = np.asarray(function(x.copy(), y.copy()))
    if chosen.ndim != 1 or not 1 <= len(chosen) <= MOST_WINDOWS or chosen.dtype.kind not in "iu":
        return f"Expected the numbers of one to {MOST_WINDOWS} windows, found {chosen.dtype} of shape {chosen.shape}."
    if chosen.min() < 0 or chosen.max() >= len(x):
        return f"There are windows 0 to {len(x) - 1}; found the numbers {chosen.min()} to {chosen.max()}."
    loss = quantization_loss(x[chosen])
    if loss <= MOST_LOSS:
        return None
    return f"The scores differ by {loss:.3f} on average; the aim is {MOST_LOSS}."


def quantization_loss(calibration) -> float:
    """How much the scores of the ready gesture net change from float to int8, on people it was not calibrated with.

    Parameters
    ----------
    calibration : array of int8, shape [N, 32, 6]
        Windows that the converter sees.

    Returns
    -------
    float
        For each window of the validation people the largest difference of a score (0 to 1); the mean of them.
    """
    from edgekit.convert import run, to_tflite
    from edgekit.dataset import load_dataset
    from edgekit.features.motion import to_float
    from edgekit.recipes.gesture import load_weights, split

    net = load_weights()
    x = split(load_dataset("gestures")).features("validation")
    exact = np.asarray(net(to_float(x)))
    return float(np.abs(exact - run(to_tflite(net, "int8", calibration), x)).max(axis=1).mean())
