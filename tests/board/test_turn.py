"""One thing at a time on the wire: cells, buttons and streams that want the board at the same moment."""

import os
import signal
import threading
import time

import pytest

from edgekit.board.simulated import SimulatedBoard
from edgekit.board.turn import Turn
from edgekit.errors import BoardBusyError, BoardCodeError, BoardError

OTHER = ("The board is busy: another cell or button uses it. Wait until that has ended, or stop it with "
         "board.interrupt().")
MINE = ("The board is busy: its program still runs, and this was asked for in the middle of it. Ask after its end; a "
        "stream ends with stream.close().")


@pytest.fixture(scope="module")
def shared():
    with SimulatedBoard(clock="real") as board:
        board.install("capture")
        yield board


@pytest.fixture
def board(shared):
    shared._repl.turn.patience_s = 1.0
    yield shared
    assert shared.eval("1 + 1") == 2, "free again after every test"


def in_thread(action):
    """Run it in a thread; what it returned or raised, and how long it took."""
    result = []

    def work():
        started = time.monotonic()
        try:
            value = action()
        except BaseException as error:
            value = error
        result[:] = value, time.monotonic() - started

    thread = threading.Thread(target=work)
    thread.start()
    return thread, result


def test_many_threads_never_mix(board):
    board._repl.turn.patience_s = 30

    def ask(number):
        for i in range(20):
            assert board.exec(f"print({number!r} * 50, {i})") == f"{number * 50} {i}\n"
            assert board.eval(f"[{number!r}, {i}]") == [number, i]
        board.put(number.encode() * 9000, f"/thread/{number}")
        return board.get(f"/thread/{number}")

    running = [in_thread(lambda number=number: ask(number)) for number in "abcde"]
    for (thread, result), number in zip(running, "abcde", strict=True):
        thread.join()
        assert result[0] == number.encode() * 9000
    board.remove("/thread")


def test_a_panel_waits_shortly_and_does_not_disturb_a_cell(board):
    board._repl.turn.patience_s = 0.05
    cell, cell_result = in_thread(lambda: board.exec("import time\ntime.sleep(2)\nprint('whole')"))
    time.sleep(0.3)
    with pytest.raises(BoardBusyError) as caught:
        board.eval("1")
    assert str(caught.value) == OTHER
    for action in (board.reset, board.ls, lambda: board.put(b"", "/x"), lambda: board.info):
        with pytest.raises(BoardBusyError):
            action()
    cell.join()
    assert cell_result[0] == "whole\n"


def test_a_short_wait_is_just_a_wait(board):
    cell, _ = in_thread(lambda: board.exec("import time\ntime.sleep(0.3)"))
    time.sleep(0.1)
    assert board.eval("6 * 7") == 42
    cell.join()


def test_interrupt_from_another_thread_ends_the_cell(board):
    cell, result = in_thread(lambda: board.exec("kept = 1\nwhile True: pass"))
    time.sleep(0.3)
    board.interrupt()
    cell.join(5)
    assert isinstance(result[0], BoardCodeError) and result[0].reason.startswith("KeyboardInterrupt")
    assert board.eval("kept") == 1


def test_a_copy_is_one_thing(board):
    """Between the steps of a copy nobody else comes in, but the thread that copies may ask."""
    board._repl.turn.patience_s = 0.1
    seen = []

    def progress(done, total):
        if not seen:
            thread, result = in_thread(lambda: board.eval("1"))
            thread.join()
            seen.extend([result[0], board.eval("6 * 7")])

    board.put(bytes(10_000), "/copy", progress)
    assert isinstance(seen[0], BoardBusyError) and seen[1] == 42
    assert board.get("/copy") == bytes(10_000)
    board.remove("/copy")


def test_nothing_starts_in_the_middle_of_ones_own_program(board):
    said = []

    def ask(text):
        with pytest.raises(BoardBusyError) as caught:
            board.eval("1")
        said.append(str(caught.value))

    assert board.exec("print('a')", on_output=ask) == "a\n"
    assert said == [MINE]


def test_a_stream_holds_the_board_until_it_is_closed(board):
    board._repl.turn.patience_s = 0.1
    stream = board.stream("capture")
    next(stream)
    with pytest.raises(BoardBusyError) as caught:
        board.eval("1")
    assert str(caught.value) == MINE
    thread, result = in_thread(lambda: board.eval("1"))
    thread.join()
    assert str(result[0]) == OTHER
    assert next(stream).seq == 1, "and goes on undisturbed"
    stream.close()
    thread, result = in_thread(lambda: board.eval("1 + 2"))
    thread.join()
    assert result[0] == 3


def test_a_stream_that_nobody_holds_any_more_frees_the_board(board):
    next(board.stream("capture"))
    assert board.eval("2") == 2


def test_a_stream_may_be_closed_by_another_thread(board):
    stream = board.stream("capture")
    next(stream)
    thread, result = in_thread(stream.close)
    thread.join()
    assert result[0] is None and board.eval("3") == 3


def test_an_error_in_what_gets_the_output_frees_the_board(board):
    with pytest.raises(ZeroDivisionError):
        board.exec("while True: print('x')", on_output=lambda text: 1 / 0)
    with pytest.raises(BoardCodeError):
        board.exec("1 / 0")
    with pytest.raises(BoardError):
        board.get("/missing")


@pytest.mark.skipif(os.name == "nt", reason="SKIP: os.kill cannot send ctrl-C to this process alone on Windows")
def test_ctrl_c_frees_the_board(board):
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        board.exec("while True: pass")
    thread, result = in_thread(lambda: board.eval("4"))
    thread.join()
    assert result[0] == 4


@pytest.mark.skipif(os.name == "nt", reason="SKIP: os.kill cannot send ctrl-C to this process alone on Windows")
def test_ctrl_c_while_waiting_for_the_turn(board):
    board._repl.turn.patience_s = 30
    cell, result = in_thread(lambda: board.exec("import time\ntime.sleep(1)\nprint('whole')"))
    time.sleep(0.2)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        board.eval("1")
    cell.join()
    assert result[0] == "whole\n"


def test_the_turn_itself():
    turn = Turn(patience_s=0.05)
    with turn.hold(), turn.hold():
        assert turn.is_mine() and not turn.running
        turn.begin()
        with pytest.raises(BoardBusyError):
            turn.begin()
        assert turn.running
        turn.end()
        turn.end()
        thread, result = in_thread(turn.begin)
        thread.join()
        assert isinstance(result[0], BoardBusyError) and 0.04 < result[1] < 1
    thread, result = in_thread(turn.begin)
    thread.join()
    assert result[0] is None and turn.running and not turn.is_mine()
    turn.end()
    assert turn.is_mine()
