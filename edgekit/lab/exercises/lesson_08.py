"""Exercises of lesson 08: an arena that fits, a layer counted, a network half as large."""

import numpy as np

from edgekit.lab.check import exercise, number

MOST_MACS = 9000
"""What exercise 08.3 asks for: about half of the course's gesture net."""

AIM_SHARE = 0.97


@exercise("08.1", hints=["Which two tensors must be in memory while the second convolution runs?",
                         "The arena is the larger one of 15360 + 40 * steps and 64 * steps, with steps = 2560 // stride.",
                         "The board has 95000 - 51400 = 43600 bytes for the arena. 64 * 2560 // stride <= 43600 gives stride >= ..."])
def stride(value):
    wrong = number(value, 4, what="stride")
    if wrong and value in (8, 16, 32):
        return f"With {value} it fits, but a smaller stride fits too."
    return wrong


@exercise("08.2", hints=["How many weights has the depthwise part? Does it mix channels?",
                         "Depthwise: before * width weights and before biases. Mixing: before * after weights and after biases.",
                         "macs = steps * before * width + ...; activations = steps * before + ..."])
def count_separable(function):
    for steps, before, after, width in ((8, 12, 24, 5), (16, 6, 10, 3), (1, 1, 7, 1)):
        found = function(steps, before, after, width)
        if not isinstance(found, list | tuple) or len(found) != 3:
            return "Expected three numbers: parameters, macs, activations."
        expected = (before * width + before + before * after + after,
                    steps * before * width + steps * before * after, steps * (before + after))
        for name, value, right in zip(("parameters", "macs", "activations"), found, expected, strict=True):
            wrong = number(value, right, what=f"number of {name} for {steps} steps, {before} to {after} channels, "
                                              f"width {width}")
            if wrong:
                return wrong
    return None


@exercise("08.3", hints=["Where are the most MACs in the course's net: in the first convolution, in the second, or at the end?",
                         "Two thirds are in the second one. Which layer does the same work with a quarter of the MACs?",
                         'layers.DepthwiseConv1D(5, padding="same", activation="relu"), then layers.Conv1D(24, 1, activation="relu")'])
def my_net(function):
    model = function()
    if tuple(model.input_shape[1:]) != (32, 6) or tuple(model.output_shape[1:]) != (6,):
        return (f"Expected an input of 32 x 6 and six outputs, found {model.input_shape[1:]} and "
                f"{model.output_shape[1:]}.")
    macs = count_macs(model)
    if macs > MOST_MACS:
        return f"Your network needs {macs} MACs; the aim is at most {MOST_MACS}."
    accuracy = train_and_validate(model)
    if accuracy < AIM_SHARE:
        return f"{macs} MACs are few enough, but it is right in {accuracy:.1%}; the aim is {AIM_SHARE:.0%}."
    return None


def count_macs(model) -> int:
    """Multiply-accumulates of a Keras model for one window, as the board will run it.

    Parameters
    ----------
    model : keras.Model
        With input (32, 6); it need not be trained.
    """
    from edgekit import tflite
    from edgekit.convert import to_tflite

    return tflite.report(to_tflite(model, "int8", np.zeros((1, *model.input_shape[1:]), np.int8)), boards=()).macs


def train_and_validate(model, epochs=12) -> float:
    """Train on augmented windows of ten people; the share of right answers on the two of the validation set.

    Parameters
    ----------
    model : keras.Model
        It is compiled and trained.
    epochs : int
    """
    from edgekit.dataset import load_dataset
    from edgekit.features.motion import waveform
    from edgekit.recipes.gesture import split
    from edgekit.train import augment, evaluate, fit
    from edgekit.train.quiet import keras

    parts = split(load_dataset("gestures"))
    windows, y = augment(parts.train.x, parts.train.y, copies=2, seed=0)
    model.compile(optimizer=keras().optimizers.Adam(0.004), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"], jit_compile=False)
    fit(model, waveform(windows, parts.params), y, parts.features("validation"), parts.validation.y, epochs=epochs,
        seed=0, progress=False)
    return evaluate(model, parts.features("validation"), parts.validation.y).accuracy
