"""What ``edgekit.deploy`` has put on the board: a model and all that is known about it.

Example::

    import bundle
    import tflite_micro as tflm

    about = bundle.load("gesture")
    model = tflm.load_model(about["model"])
    print(about["classes"], about["params"]["rate_hz"], about["threshold"])
"""

import json
import os


def load(name):
    """Read ``/models/NAME/bundle.json``.

    Returns
    -------
    dict
        ``model``: path of the .tflite; ``params``: what the features are made with; ``classes``: names of the model's
        outputs; ``threshold``: score from 0 to 1 that counts; ``files``: path of each file beside the model, by its
        name, such as ``about["files"]["mfcc.bin"]``.

    Raises
    ------
    RuntimeError
        There is no such bundle, or it is not whole; the message says what to do.
    """
    folder = "/models/" + name
    try:
        with open(folder + "/bundle.json") as file:
            about = json.load(file)
        about["model"] = _there(folder, about["model"])
        files = about.setdefault("files", {})
        for key in files:
            files[key] = _there(folder, files[key])
        return about
    except OSError:
        what = "there is no model in " + folder
    except (ValueError, KeyError, TypeError, AttributeError):
        what = folder + "/bundle.json is damaged"
    raise RuntimeError(what + ": deploy one first, bundle.deploy(board) on the computer (lesson 10)")


def _there(folder, name):
    path = folder + "/" + name
    os.stat(path)
    return path
