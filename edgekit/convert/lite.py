"""From a Keras model to a .tflite file: float, dynamic range, or int8 throughout."""

import warnings

import numpy as np

from edgekit.errors import ModelError
from edgekit.train.fitting import as_floats
from edgekit.train.quiet import keras, quiet_output

KINDS = ("float", "dynamic", "int8")

INPUT_SCALE = 1 / 128
LOWEST, HIGHEST = -1.0, 127 / 128
"""What int8 features can be after division by 128."""


def to_tflite(model, kind="int8", calibration=None, int8_features=True) -> bytes:
    """Convert a trained Keras model to the bytes of a .tflite file.

    ========  ==========================  ============================  ====================================
    kind      weights                     what flows between layers     runs on the board
    ========  ==========================  ============================  ====================================
    float     float32                     float32                       slowly, in floats
    dynamic   int8, one scale per tensor  float32                       slowly; TensorFlow Lite Micro: not at all
              or channel
    int8      int8 (bias int32)           int8, input and output too    yes
    ========  ==========================  ============================  ====================================

    The file reads one window at a time (batch size 1), so every buffer has a fixed size. ``dynamic`` leaves weights of
    fewer than 1024 numbers as floats: a small network may come out as large as ``float``.

    In int8 and in floats an LSTM layer becomes one operator, which remembers: on the board call ``model.reset()`` before
    each window. Other recurrent layers (GRU, bidirectional ones, any of dynamic range) are unrolled: some ten operators for
    each time step.

    Parameters
    ----------
    model : keras.Model
        One input, one output.
    kind : {"float", "dynamic", "int8"}
    calibration : array of int8 or float32, shape [N, ...], optional
        Features that look like those the board will see; ``int8`` needs them. The converter runs the model
        on them and notes the smallest and largest value of each tensor: that becomes its int8 range. A few hundred
        windows of every class are enough. int8 features are divided by 128 first.
    int8_features : bool
        The model was trained on int8 features divided by 128. Then the input of the int8 model gets the scale 1/128
        and the zero point 0, so that the features are its input as they stand. Pass False for a model trained on
        other floats: then the calibration data decide.

    Returns
    -------
    bytes
        A .tflite file.

    Raises
    ------
    ModelError
        The kind is unknown, calibration data are missing or do not fit, or TensorFlow cannot convert the model.
    """
    if kind not in KINDS:
        raise ModelError(f"No conversion of kind {kind!r}; choose one of {', '.join(KINDS)}.")
    if not hasattr(model, "input_shape"):
        raise ModelError(f"{model.name!r} does not say the shape of its input; build a Sequential model that begins with "
                         "keras.Input(shape), or a functional one: keras.Model(x, y).")
    samples = _calibration(model, calibration, int8_features) if kind == "int8" else None
    k = keras()
    import tensorflow as tf

    # A fixed batch of one: with an open batch, Flatten becomes SHAPE, STRIDED_SLICE and PACK, which boards lack.
    one = k.Input(batch_shape=(1, *model.input_shape[1:]), name="features")
    # The name goes into the file; Keras's own would count the models made so far.
    fixed = k.Model(one, _without_loops(model, kind)(one), name="fixed_batch")
    with quiet_output() as printed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
            if kind != "float":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if kind == "int8":
                converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = tf.int8
                converter.inference_output_type = tf.int8
            converted = bytes(converter.convert())
        except Exception as error:
            lines = [line for line in (printed() + "\n" + str(error)).splitlines() if line.strip()]
            raise ModelError(f"TensorFlow could not convert {model.name!r} to {kind}: {lines[-1].strip()} "
                             "Layers that boards run: Conv1D, Conv2D, depthwise, Dense, pooling, ReLU, softmax, "
                             "LSTM.") from error
    if kind == "int8" and int8_features:
        _check_input(converted, model.name)
    return converted


def _without_loops(model, kind):
    """The same model, its recurrent layers in a form that the converter takes: it makes a loop of others, and ends the
    whole process when that loop shall be int8."""
    layers = keras().layers
    recurrent = (layers.RNN, layers.Bidirectional)
    found = list(_inner_layers(model))
    for layer in found:
        if not isinstance(layer, recurrent):
            hidden = [part.name for part in layer._flatten_layers(include_self=False) if isinstance(part, layers.RNN)]
            if hidden:
                raise ModelError(f"The layer {layer.name!r} ({type(layer).__name__}) holds the recurrent layer "
                                 f"{hidden[0]!r}; boards run one that stands in the model itself, or in a Sequential or "
                                 "functional model inside of it. Build the model from such parts.")
    if not any(isinstance(layer, recurrent) for layer in found):
        return model

    def changed(layer):
        config = layer.get_config()
        # With dynamic range, the converter makes int8 of the weights of unrolled layers only.
        if kind != "dynamic" and isinstance(layer, layers.LSTM) and _is_plain(config):
            return _one_operator(layer)
        if isinstance(layer, layers.Bidirectional):
            for part in filter(None, (config["layer"], config.get("backward_layer"))):
                part["config"]["unroll"] = True
        elif isinstance(layer, layers.RNN):
            config["unroll"] = True
        return type(layer).from_config(config)

    clone = keras().models.clone_model(model, clone_function=changed, recursive=True)
    for layer, source in zip(_inner_layers(clone), found, strict=True):
        if type(layer) is type(source):
            layer.set_weights(source.get_weights())
    return clone


def _inner_layers(model):
    """The layers of a model, and those of the Sequential and functional models that it is made of."""
    for layer in model.layers:
        if isinstance(layer, keras().Sequential) or hasattr(layer, "operations"):  # functional models have these
            yield from _inner_layers(layer)
        else:
            yield layer


def _is_plain(config):
    """Whether UNIDIRECTIONAL_SEQUENCE_LSTM can stand for an LSTM layer."""
    return (config["activation"], config["recurrent_activation"]) == ("tanh", "sigmoid") and not (
        config["go_backwards"] or config["stateful"] or config["return_state"] or config["unroll"])


def _one_operator(lstm):
    """An LSTM layer as the function that TensorFlow's converter knows: one operator instead of a loop."""
    import uuid

    import tensorflow as tf

    weights = lstm.get_weights()
    kernel, recurrent, bias = weights if len(weights) == 3 else (*weights, np.zeros(4 * lstm.units, np.float32))

    # The converter finds it by these attributes and takes its arguments in this order; only then is it one operator.
    @tf.function(autograph=False, experimental_attributes={
        "api_implements": f"lstm_{uuid.uuid4()}", "go_backwards": False, "time_major": False})
    def standard_lstm(inputs, h, c, kernel, recurrent, bias):
        outputs = []
        for step in tf.unstack(inputs, axis=1):
            come, keep, new, go = tf.split(tf.matmul(step, kernel) + tf.matmul(h, recurrent) + bias, 4, axis=1)
            c = tf.sigmoid(keep) * c + tf.sigmoid(come) * tf.tanh(new)
            h = tf.sigmoid(go) * tf.tanh(c)
            outputs.append(h)
        unused = tf.ones((1,))
        return h, tf.stack(outputs, axis=1), unused, unused, unused

    class OneOperator(keras().layers.Layer):
        def call(self, x):
            zeros = tf.zeros((1, lstm.units))
            last, whole, *_ = standard_lstm(x, zeros, zeros, *map(tf.constant, (kernel, recurrent, bias)))
            return whole if lstm.return_sequences else last

        def compute_output_shape(self, shape):
            return (*shape[:2], lstm.units) if lstm.return_sequences else (shape[0], lstm.units)

    return OneOperator(name=lstm.name)


def _calibration(model, calibration, int8_features):
    if calibration is None or len(calibration) == 0:
        raise ModelError("Conversion to int8 needs calibration data: features that look like those the board will "
                         "see. Pass calibration=x_train (a few hundred windows of every class). Without them, only the "
                         "weights could become int8, which is kind='dynamic' and slow on a board.")
    samples = as_floats(calibration)
    expected = tuple(model.input_shape[1:])
    if samples.shape[1:] != expected:
        raise ModelError(f"{model.name!r} reads features of shape {expected}; the calibration data have "
                         f"{samples.shape[1:]}. The first axis counts windows.")
    if not np.isfinite(samples).all():
        raise ModelError("The calibration data contain NaN or infinite numbers. Remove those windows.")
    if not int8_features:
        return samples
    if samples.min() < LOWEST or samples.max() > HIGHEST:
        raise ModelError(f"The calibration data go from {samples.min():g} to {samples.max():g}; expected -1 to 127/128, "
                         "which is int8 features divided by 128. Pass the int8 features themselves, or "
                         "int8_features=False if the model was not trained on them.")
    # The range of the input must come out as -1 to 127/128. One value at each end, in a copy of a real window, sets
    # it and hardly touches the ranges inside the network.
    ends = np.stack([samples[0], samples[0]])
    ends[0].flat[0] = LOWEST
    ends[1].flat[-1] = HIGHEST
    return np.concatenate([samples, ends])


def _check_input(converted, name):
    scale, zero_point = interpreter(converted).get_input_details()[0]["quantization"]
    if scale != INPUT_SCALE or zero_point != 0:
        raise ModelError(f"The input of {name!r} came out with scale {scale} and zero point {zero_point}; expected "
                         f"{INPUT_SCALE} and 0, so that int8 features are its input. If it was not trained on int8 "
                         "features divided by 128, pass int8_features=False.")


def interpreter(converted, name="this .tflite", keep_layers=False):
    """A LiteRT interpreter on the reference kernels: the exact meaning of the file, not the fastest.

    Parameters
    ----------
    converted : bytes
        A .tflite file.
    name : str
        What messages call it.
    keep_layers : bool
        Keep the values of every tensor, so that layers can be compared.

    Raises
    ------
    ModelError
        LiteRT cannot load it.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    with quiet_output():
        try:
            runner = Interpreter(model_content=converted, experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                                 experimental_preserve_all_tensors=keep_layers)
            runner.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"LiteRT cannot read {name}: {str(error).strip().splitlines()[0]} "
                             "Convert the model again.") from error
    return runner


def run(converted, x) -> np.ndarray:
    """Run a .tflite file, of any kind, on windows of features.

    Parameters
    ----------
    converted : bytes
        A .tflite file that reads one window at a time.
    x : array of int8 or float32, shape [N, ...]
        Features. A float model gets int8 features divided by 128; an int8 model gets floats quantized with its
        input's scale and zero point.

    Returns
    -------
    numpy.ndarray of float32, shape [N, classes]
        Outputs; those of an int8 model are made floats with the output's scale and zero point.

    Raises
    ------
    ModelError
        The file cannot be read, or the features do not fit it.
    """
    runner = interpreter(converted)
    source, target = runner.get_input_details()[0], runner.get_output_details()[0]
    x = np.asarray(x)
    expected = tuple(source["shape"][1:].tolist())
    if x.shape[1:] != expected:
        raise ModelError(f"The model reads features of shape {expected}; found {x.shape[1:]}.")
    if source["dtype"] == np.int8:
        scale, zero_point = source["quantization"]
        if x.dtype != np.int8:
            x = np.clip(np.round(x / scale) + zero_point, -128, 127).astype(np.int8)
        elif (scale, zero_point) != (INPUT_SCALE, 0):
            raise ModelError(f"int8 features are the input of a model with input scale 1/128 and zero point 0; this "
                             f"one has {scale} and {zero_point}. Pass the floats it was trained on.")
    else:
        x = as_floats(x)
    outputs = np.empty((len(x), *target["shape"][1:]), np.float32)
    for i, window in enumerate(x):
        runner.reset_all_variables()  # each window stands for itself, also for a recurrent layer
        runner.set_tensor(source["index"], window[None])
        runner.invoke()
        outputs[i] = runner.get_tensor(target["index"])[0]
    if target["dtype"] == np.int8:
        scale, zero_point = target["quantization"]
        outputs = (outputs - np.float32(zero_point)) * np.float32(scale)
    return outputs


def operators(converted) -> list[str]:
    """Names of the operators of a .tflite file, in the order they run.

    Parameters
    ----------
    converted : bytes
        A .tflite file.
    """
    return [step["op_name"] for step in interpreter(converted)._get_ops_details() if step["op_name"] != "DELEGATE"]


def table(model, x, y, calibration, int8_features=True):
    """Convert a model in all three ways and compare: bytes, accuracy, does it run on the board?

    Parameters
    ----------
    model : keras.Model
        Trained.
    x : array of int8 or float32, shape [N, ...]
        Test features, of subjects that were not trained on.
    y : array of int, shape [N]
        True class numbers.
    calibration : array, shape [M, ...]
        As for :func:`to_tflite`.
    int8_features : bool
        As for :func:`to_tflite`.

    Returns
    -------
    pandas.DataFrame
        One row per kind: ``bytes``, ``accuracy`` (0 to 1, computed by LiteRT on this computer), ``correct``,
        ``total``, ``runs_on_board`` (``yes``, or what makes it slow there).
    """
    import pandas as pd

    from edgekit.train.scores import score

    rows = []
    for kind in KINDS:
        converted = to_tflite(model, kind, calibration, int8_features)
        result = score(y, run(converted, x).argmax(axis=1))
        rows.append({"bytes": len(converted), "accuracy": result.accuracy, "correct": result.correct,
                     "total": result.total, "runs_on_board": runs_on_board(converted)})
    return pd.DataFrame(rows, index=pd.Index(KINDS, name="kind"))


def runs_on_board(converted) -> str:
    """``yes`` for a full int8 file, or what makes it slow on a board.

    It looks at the types that flow between the operators. Whether the operators themselves are known and whether
    memory suffices is told by :func:`edgekit.tflite.report`.

    Parameters
    ----------
    converted : bytes
        A .tflite file.
    """
    details = interpreter(converted).get_tensor_details()
    floats = sum(detail["dtype"] == np.float32 for detail in details)
    if not floats:
        return "yes"
    quantized = any(detail["dtype"] == np.int8 for detail in details)
    return f"slowly: {'int8 weights but ' if quantized else ''}{floats} float tensors"
