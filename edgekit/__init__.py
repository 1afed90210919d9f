"""edgekit: from a sensor's first sample to a prediction that switches a pin."""

import importlib

# What `import edgekit` offers, and where it is: loaded on first use, so that the import stays fast.
_WHERE = {
    "connect": "edgekit.board.connect",
    "Recording": "edgekit.recording",
    "Dataset": "edgekit.dataset",
    "load_dataset": "edgekit.dataset",
    "capture": "edgekit.capture",
    "deploy": "edgekit.deploy",
    "train": "edgekit.train",
    "convert": "edgekit.convert",
    "tflite": "edgekit.tflite",
    "features": "edgekit.features",
    "lab": "edgekit.lab",
    "artefact": "edgekit.paths",
    "work_dir": "edgekit.paths",
    "EdgekitError": "edgekit.errors",
}

__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module 'edgekit' has no attribute {name!r}")
    module = importlib.import_module(_WHERE[name])
    value = module if _WHERE[name] == f"edgekit.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_WHERE])
