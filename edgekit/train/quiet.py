"""TensorFlow without its start-up noise: the one place that imports it."""

import os
import sys
import tempfile
import warnings
from contextlib import contextmanager

_KERAS = None


def keras():
    """Import Keras on TensorFlow, quietly and with repeatable operations.

    The first call takes 5 to 7 seconds, which is why nothing in edgekit imports it at the top of a file.

    Returns
    -------
    module
        ``keras``.
    """
    global _KERAS
    if _KERAS is None:
        # Read by TensorFlow when it is imported: 3 leaves fatal messages only.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        # oneDNN adds in another order on each kind of processor: the same training should end with the same weights.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        # Boards have no GPU and the lessons need none; looking for one only prints warnings.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
        with quiet_output():
            import keras as module
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")
            tf.config.experimental.enable_op_determinism()
        warnings.filterwarnings("ignore", message=r"(?s).*tf\.lite\.Interpreter is deprecated.*")
        _KERAS = module
    return _KERAS


@contextmanager
def quiet_output():
    """Keep what is printed inside, also by C++ code, off the screen.

    TensorFlow's converter writes to the process's output directly, where Python's ``redirect_stdout`` does not reach.

    Yields
    ------
    callable
        Gives what was printed so far, as text: for an error message.
    """
    with tempfile.TemporaryFile() as store:
        sys.stdout.flush()
        sys.stderr.flush()
        saved = [(number, os.dup(number)) for number in (1, 2)]
        python_streams = sys.stdout, sys.stderr
        text_store = open(os.dup(store.fileno()), "w", encoding="utf-8", errors="replace")
        sys.stdout = sys.stderr = text_store

        def printed():
            text_store.flush()
            store.seek(0)
            return store.read().decode("utf-8", "replace")

        try:
            for number, _ in saved:
                os.dup2(store.fileno(), number)
            yield printed
        finally:
            sys.stdout, sys.stderr = python_streams
            text_store.close()
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)
