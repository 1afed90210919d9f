"""Tell Jupyter about the kernel "MicroPython": ``python -m edgekit.kernel.install --sys-prefix``."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

NAME = "micropython"


def kernel_json(python: str = sys.executable) -> dict:
    """What Jupyter must know to start the kernel.

    Parameters
    ----------
    python : str
        The Python that has edgekit; it is written into the installed file, never into the repository.
    """
    return {
        "argv": [python, "-m", "edgekit.kernel", "-f", "{connection_file}"],
        "display_name": "MicroPython",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"debugger": False},
    }


def install(prefix: str | None = None, user: bool = False) -> str:
    """Install the kernelspec and return its folder.

    Parameters
    ----------
    prefix : str, optional
        Folder of an environment, for example ``sys.prefix``.
    user : bool
        For this user instead.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(kernel_json(), indent=1) + "\n")
        return KernelSpecManager().install_kernel_spec(folder, NAME, user=user, prefix=prefix)


def main(argv: list[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description="Install the Jupyter kernel MicroPython.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--sys-prefix", action="store_true", help="into this Python's environment")
    where.add_argument("--user", action="store_true", help="for this user")
    where.add_argument("--prefix", help="into another environment's folder")
    options = parser.parse_args(argv)
    install(prefix=sys.prefix if options.sys_prefix else options.prefix, user=options.user)
    print('Installed the Jupyter kernel "MicroPython".')
    return 0


if __name__ == "__main__":
    sys.exit(main())
