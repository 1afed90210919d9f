"""The kernel is installed where asked, starts the Python that has edgekit, and Jupyter finds it."""

import json
import sys

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from edgekit.kernel import install


def test_install_into_an_environment(tmp_path, capsys):
    assert install.main(["--prefix", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "share/jupyter/kernels/micropython/kernel.json").read_text())
    assert found["argv"] == [sys.executable, "-m", "edgekit.kernel", "-f", "{connection_file}"]
    assert (found["display_name"], found["language"]) == ("MicroPython", "python")
    assert "MicroPython" in capsys.readouterr().out


def test_it_must_be_said_where():
    with pytest.raises(SystemExit):
        install.main([])


def test_jupyter_knows_the_kernel_here():
    assert KernelSpecManager().get_kernel_spec("micropython").display_name == "MicroPython"
