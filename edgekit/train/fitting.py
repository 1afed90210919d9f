"""Training, the same on every run."""

import numpy as np

from edgekit.errors import DataError
from edgekit.features.motion import to_float
from edgekit.train.quiet import keras


def fit(model, x, y, x_val=None, y_val=None, epochs=30, seed=0, batch_size=64, patience=8, progress=True) -> dict:
    """Train a compiled Keras model. The same data and seed give the same weights, to the bit, on one computer.

    With validation data, training stops when the validation loss has not fallen for ``patience`` epochs, and the
    best weights are put back.

    Parameters
    ----------
    model : keras.Model
        For example from :func:`gesture_net`. It is changed.
    x : array of int8 or float32, shape [N, ...]
        Features. int8 features are divided by 128 first (:func:`edgekit.features.motion.to_float`).
    y : array of int, shape [N]
        Class numbers, 0 to classes - 1.
    x_val, y_val : arrays, optional
        Windows of other subjects, never used for a step of training.
    epochs : int
        At most so many passes over the data.
    seed : int
        Order in which the windows are shown.
    batch_size : int
        Windows per step.
    patience : int
        Epochs to wait for a better validation loss.
    progress : bool
        Show a progress bar.

    Returns
    -------
    dict of str to list of float
        Per epoch: ``loss``, ``accuracy`` and, with validation data, ``val_loss``, ``val_accuracy``.

    Raises
    ------
    DataError
        There are no windows, features and labels differ in number, or the features do not fit the model.
    """
    k = keras()
    x, y = _checked(model, x, y, "training")
    validation = None
    callbacks = []
    if x_val is not None:
        validation = _checked(model, x_val, y_val, "validation")
        callbacks.append(k.callbacks.EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True))
    if progress:
        callbacks.append(_progress_bar(epochs))
    k.utils.set_random_seed(seed)
    history = model.fit(x, y, validation_data=validation, epochs=epochs, batch_size=batch_size,
                        callbacks=callbacks, verbose=0)
    return {name: [float(value) for value in values] for name, values in history.history.items()}


def predict(model, x) -> np.ndarray:
    """Class numbers that a Keras model predicts.

    Parameters
    ----------
    model : keras.Model
    x : array of int8 or float32, shape [N, ...]
        Features; int8 features are divided by 128 first.

    Returns
    -------
    numpy.ndarray of int64, shape [N]
    """
    return _probabilities(model, as_floats(x)).argmax(axis=1)


def as_floats(x) -> np.ndarray:
    """Features as the float32 array a model trains on: int8 divided by 128, floats as they are."""
    x = np.asarray(x)
    return to_float(x) if x.dtype == np.int8 else x.astype(np.float32)


def _probabilities(model, x):
    return np.asarray(model(x, training=False))


def _checked(model, x, y, what):
    x, y = as_floats(x), np.asarray(y)
    if len(x) == 0:
        raise DataError(f"No {what} windows. Check that the split leaves subjects on both sides.")
    if y.shape != (len(x),):
        raise DataError(f"Expected one {what} label per window: {len(x)} windows, labels of shape {list(y.shape)}.")
    expected = tuple(model.input_shape[1:])
    if x.shape[1:] != expected:
        raise DataError(f"The model reads features of shape {expected}; the {what} features have {x.shape[1:]}. "
                        "Build the model with input_shape=params.shape.")
    classes = model.output_shape[-1]
    if y.min() < 0 or y.max() >= classes:
        raise DataError(f"The model has {classes} classes; the {what} labels go from {y.min()} to {y.max()}. "
                        f"Expected 0 to {classes - 1}.")
    return x, y


def _progress_bar(epochs):
    from tqdm.auto import tqdm

    class Bar(keras().callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.bar = tqdm(total=epochs, desc="training", unit="epoch", leave=False)

        def on_epoch_end(self, epoch, logs=None):
            shown = {name: f"{value:.3f}" for name, value in (logs or {}).items() if "accuracy" in name}
            self.bar.set_postfix(shown)
            self.bar.update()

        def on_train_end(self, logs=None):
            self.bar.close()

    return Bar()
