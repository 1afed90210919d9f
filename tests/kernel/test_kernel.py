"""The kernel as a notebook sees it, on the simulated board: messages in, messages out."""

import os
import threading
import time
from types import SimpleNamespace

import nbformat.v4 as v4
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from edgekit.kernel.cells import FORGOT_HOST


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="micropython", startup_timeout=60)
    yield SimpleNamespace(manager=manager, client=client)
    client.stop_channels()
    manager.shutdown_kernel()


@pytest.fixture
def run(kernel):
    """Run a cell; gives status, ename, evalue, traceback, printed text, result, and the arrival time of each print."""
    def run(code, interrupt_after_s=None):
        cell = SimpleNamespace(text="", result=None, times=[], errors=0, stderr="")

        def output(message):
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                cell.text += content["text"]
                cell.times.append(time.monotonic())
            elif kind == "stream":
                cell.stderr += content["text"]
            elif kind == "execute_result":
                cell.result = content["data"]["text/plain"]
            elif kind == "error":
                cell.errors += 1

        timer = threading.Timer(interrupt_after_s, kernel.manager.interrupt_kernel) if interrupt_after_s else None
        if timer:
            timer.start()
        started = time.monotonic()
        reply = kernel.client.execute_interactive(code, output_hook=output, timeout=60)["content"]
        cell.seconds = time.monotonic() - started
        if timer:
            timer.join()
        cell.__dict__.update(reply)
        return cell

    run("pass")      # connected
    return run


def test_a_cell_runs_on_the_board_and_keeps_its_names(run):
    assert run("import sys\nname = sys.implementation.name").status == "ok"
    assert run("name").result == "'micropython'"


@pytest.mark.parametrize("code, result", [
    ("6 * 7", "42"), ("None", None), ("x = 1", None), ("x = 1\nx;", None), ("[1,\n 2]", "[1, 2]"), ("print(3)", None), ("", None)])
def test_the_last_expression_is_shown(run, code, result):
    cell = run(code)
    assert (cell.status, cell.result) == ("ok", result)


def test_output_appears_while_the_cell_runs(run):
    run("%connect sim")
    started = time.monotonic()
    cell = run("print('first')\nn = 0\nwhile n < 600000:\n    n += 1\nprint('last')")
    assert cell.text == "first\nlast\n"
    assert cell.times[0] - started < 0.5 * cell.seconds
    assert cell.times[-1] - cell.times[0] > 0.3 * cell.seconds


def test_an_error_on_the_board_is_an_error_of_the_cell(run):
    cell = run("def half(x):\n    return 1 / x\n\nprint('before')\nhalf(0)\nprint('after')")
    assert (cell.status, cell.ename, cell.evalue) == ("error", "ZeroDivisionError", "divide by zero")
    assert cell.traceback == ["Traceback (most recent call last):", "  this cell, line 5", "    half(0)",
                              "  this cell, line 2, in half", "    return 1 / x", "ZeroDivisionError: divide by zero"]
    assert (cell.text, cell.errors) == ("before\n", 1)
    again = run("half(0)")
    assert again.traceback[3:5] == [f"  cell [{cell.execution_count}], line 2, in half", "    return 1 / x"]


def test_what_only_the_board_cannot_read_is_its_syntax_error(run):
    cell = run("x = 1\ny = = 2")
    assert (cell.ename, cell.traceback[1]) == ("SyntaxError", "  this cell, line 2")


def test_host_code_in_a_plain_cell_gets_advice(run):
    assert run("import numpy").traceback[-1] == FORGOT_HOST
    run("%%host\nonly_here = 1")
    assert run("only_here").traceback[-1] == FORGOT_HOST
    assert run("nowhere").traceback[-1] == "NameError: name 'nowhere' isn't defined"


def test_host_cells_run_on_this_computer_and_see_the_board(run):
    run("on_board = 5")
    assert run("%%host\nimport numpy as np\nnp.arange(3) + board.eval('on_board')").result == "array([5, 6, 7])"
    assert run("%%host\n1 / 0").traceback[-1].endswith("division by zero")
    assert run("%%host\nimport asyncio\nawait asyncio.sleep(0, 'done')").result == "'done'"


def test_magics_and_shell_lines_and_help_stay_those_of_ipython(run):
    assert "MicroPythonKernel" in run("%%host\ntype(get_ipython().kernel).__name__").result
    assert "shell" in run("!echo shell").text
    assert run("%%time\nprint(3)").text.startswith("3\n")
    assert run("%%capture kept\nprint('hidden')").text == ""
    assert run("%%host\nkept.stdout").result == "'hidden\\n'"
    assert run("%nonsense").status != "ok" or "not found" in run("%nonsense").stderr


def test_the_board_s_errors_on_the_host_are_one_sentence(run):
    cell = run("%%host\nboard.get('/missing.txt')")
    assert cell.ename == "BoardError" and len(cell.traceback) == 1


def test_reset_put_get_connect(run, tmp_path):
    run("kept = [1, 2]")
    assert run("%get kept\n").status == "ok"
    assert run("%%host\nkept").result == "[1, 2]"
    assert "variables are gone" in run("%reset").text
    assert run("kept").ename == "NameError"
    path = tmp_path / "note.txt"
    path.write_text("hello")
    assert "/note.txt, 5 bytes" in run(f"%put {path}\nopen('/note.txt').read()").text
    assert run("open('/note.txt').read()").result == "'hello'"
    assert "Expected a file" in run("%put missing.bin").evalue
    assert "simulated" in run("%connect sim").text.lower()
    cell = run("%connect /dev/no-such-port")
    assert cell.status == "error" and "no-such-port" in cell.evalue
    assert run("%connect sim\n1 + 1").result == "2"
    assert run("%boards").status == "ok"


def test_interrupt_stops_the_board_and_keeps_its_names(run):
    run("counter = 41")
    cell = run("while True:\n    pass", interrupt_after_s=0.7)
    assert (cell.status, cell.ename) == ("error", "KeyboardInterrupt")
    assert cell.seconds < 5
    assert run("counter + 1").result == "42"


def test_a_lost_board_fails_the_cell_and_the_next_one_connects_again(run):
    run("%%host\nimport psutil\nfor child in psutil.Process().children(recursive=True):\n    child.kill()")
    cell = run("1 + 1")
    assert (cell.status, cell.ename) == ("error", "BoardLostError")
    assert "The next cell connects again" in cell.evalue and len(cell.traceback) == 1
    assert run("1 + 1").result == "2"


def test_a_thousand_lines_and_an_empty_cell_are_quick(run):
    cell = run("for i in range(1000):\n    print(i)")
    assert cell.text.splitlines() == [str(i) for i in range(1000)]
    assert cell.seconds < 5
    assert min(run("").seconds for _ in range(5)) < 0.1
    assert min(run("pass").seconds for _ in range(5)) < 0.1


def test_it_completes_names_of_the_board(run, kernel):
    def complete(code):
        message = kernel.client.complete(code, len(code))
        while True:
            reply = kernel.client.get_shell_msg(timeout=20)
            if reply["parent_header"]["msg_id"] == message:
                return reply["content"]["matches"]
    run("sensor_reading = 1\nimport time")
    assert complete("sensor_re") == ["sensor_reading"]
    assert "sleep_ms" in complete("x = 1\ntime.sle")
    assert complete("no_such_thing.x") == []
    assert "print" in complete("pri")
    run("%%host\nonly_on_host = 1")
    assert complete("only_on_h") == []
    assert "only_on_host" in complete("%%host\nonly_on_h")


def notebook(*cells):
    return v4.new_notebook(cells=[v4.new_code_cell(c) for c in cells], metadata={
        "kernelspec": {"name": "micropython", "display_name": "MicroPython"}})


def test_nbclient_stops_at_a_board_error():
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        NotebookClient(notebook("x = 0", "1 / x"), timeout=60).execute()


def test_plots_and_board_share_a_notebook():
    made = NotebookClient(notebook(
        "values = [1, 4, 9]", "%%host\nfrom matplotlib import pyplot\npyplot.plot(board.eval('values'));",
        "%%host\nimport ipywidgets\nipywidgets.IntSlider()"), timeout=120).execute()
    assert any("image/png" in out.get("data", {}) for out in made.cells[1].outputs)
    assert "application/vnd.jupyter.widget-view+json" in made.cells[2].outputs[0].data


def test_port_from_the_environment(monkeypatch):
    monkeypatch.setenv("EDGEKIT_PORT", "sim:nano33ble")
    made = NotebookClient(notebook("pass"), timeout=60).execute()
    assert "Nano 33" in made.cells[0].outputs[0].text
    assert os.environ["EDGEKIT_PORT"] == "sim:nano33ble"
