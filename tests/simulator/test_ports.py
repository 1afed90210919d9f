"""`edgekit sim`: other programs use the simulated board as one on a serial port. Here: mpremote, pyserial, sockets."""

import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest

import edgekit
from edgekit import cli

POSIX = os.name == "posix"
SIM = [sys.executable, "-c", "import sys; from edgekit.cli import main; sys.exit(main())", "sim"]
PORTS = ["--tcp", pytest.param("--pty", marks=pytest.mark.skipif(
    not POSIX, reason="SKIP: Windows has no pseudo-terminals"))]
BANNER = b"MicroPython v1.27"


class Sim:
    """A running `edgekit sim`; ``port`` is what other programs connect to."""

    def __init__(self, *words):
        self.process = subprocess.Popen([*SIM, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.port = re.search(r"on (\S+) \(no hardware\)", self.process.stdout.readline())[1]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def client(self):
        return socket.create_connection(("127.0.0.1", int(self.port.rpartition(":")[2])), timeout=10)

    def stop(self, number=signal.SIGTERM):
        """End it; returns its exit code and what it said last."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        with self.process.stdout:
            said = self.process.stdout.read()
        return self.process.wait(10), said


@pytest.fixture(scope="module", params=PORTS)
def sim(request, tmp_path_factory):
    words = ["--tcp", "0"] if request.param == "--tcp" else ["--pty"]
    with Sim(*words, "--flash", str(tmp_path_factory.mktemp("flash"))) as sim:
        yield sim


@pytest.fixture
def mpremote(sim, tmp_path):
    def run(*words, code=0):
        done = subprocess.run([sys.executable, "-m", "mpremote", "connect", sim.port, *words], cwd=tmp_path,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr
    return run


def receive(client, mark):
    data = b""
    while mark not in data:
        part = client.recv(4096)
        assert part, f"the connection ended after {data!r}"
        data += part
    return data


# --- mpremote -------------------------------------------------------------------------------------------------

def test_exec_eval_run(mpremote, tmp_path):
    (tmp_path / "program.py").write_text("import sys\nprint(sys.platform, sum(range(100)))\n")
    assert mpremote("exec", "print(6 * 7)") == "42\n"
    assert mpremote("eval", "[2 ** 40, 'text']") == "[1099511627776, 'text']\n"
    assert mpremote("run", "program.py") == "esp32 4950\n"
    assert "ZeroDivisionError" in mpremote("exec", "1 / 0", code=1)


def test_files(mpremote, tmp_path):
    data = random.Random(1).randbytes(5000)
    (tmp_path / "data.bin").write_bytes(data)
    said = mpremote("cp", "data.bin", ":data.bin", "+", "sha256sum", ":data.bin", "+", "cp", ":data.bin", "back.bin",
                    "+", "ls")
    assert hashlib.sha256(data).hexdigest() in said and re.search(r"\b5000 data.bin", said)
    assert (tmp_path / "back.bin").read_bytes() == data
    assert "data.bin" not in mpremote("rm", ":data.bin", "+", "ls").split("\nls :\n")[1]
    assert "No such file" in mpremote("cat", ":data.bin", code=1)


def test_folders(mpremote, tmp_path):
    (tmp_path / "package" / "inside").mkdir(parents=True)
    (tmp_path / "package" / "a.py").write_text("A = 1\n")
    (tmp_path / "package" / "inside" / "b.py").write_text("B = 2\n")
    tree = mpremote("mkdir", ":folder", "+", "cp", "-r", "package", ":folder/", "+", "tree", ":folder")
    assert re.findall(r"── ([\w.]+)$", tree, re.M) == ["package", "a.py", "inside", "b.py"]
    assert mpremote("exec", "import folder.package.inside.b as b; print(b.B)") == "2\n"
    assert "folder" not in mpremote("rm", "-r", ":folder", "+", "ls").split("\nls :\n")[1]


def test_df(mpremote):
    line = mpremote("df").splitlines()[1].split()
    assert line[1] == str(2 * 1024 * 1024) and line[-1] == "/"
    assert int(line[2]) + int(line[3]) == int(line[1])


def test_mount(mpremote, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "mounted.py").write_text("ANSWER = 42\n")
    # Every byte, ctrl-C among them: and lengths of 3 and 4, which go over the wire as such bytes too.
    (tmp_path / "shared" / "bytes.bin").write_bytes(bytes(range(256)))
    (tmp_path / "shared" / "abc").write_text("abc")
    code = ("import mounted, os\nprint(mounted.ANSWER, open('bytes.bin', 'rb').read() == bytes(range(256)), "
            "open('abc').read(), sorted(os.listdir()))\nwith open('new.txt', 'w') as f: f.write('from the board')")
    assert mpremote("mount", "shared", "exec", code) == (
        "Local directory shared is mounted at /remote\n42 True abc ['abc', 'bytes.bin', 'mounted.py']\n")
    assert (tmp_path / "shared" / "new.txt").read_text() == "from the board"
    assert mpremote("exec", "import os; print(os.getcwd(), 'remote' in os.listdir())") == "/ False\n"


def test_mip_from_a_folder(mpremote, tmp_path):
    (tmp_path / "code.py").write_text("NAME = 'by mip'\n")
    (tmp_path / "package.json").write_text('{"urls": [["installed/__init__.py", "code.py"]], "version": "1"}')
    assert "Installing: /lib/installed/__init__.py" in mpremote("mip", "install", "./package.json")
    assert mpremote("exec", "import installed; print(installed.NAME)") == "by mip\n"


def test_soft_reset(mpremote):
    mpremote("resume", "exec", "kept = 5")
    assert mpremote("resume", "eval", "kept") == "5\n"
    mpremote("soft-reset")
    assert mpremote("resume", "eval", "'kept' in globals()") == "False\n"


# --- edgekit itself -------------------------------------------------------------------------------------------

def test_connect_to_it(sim):
    data = random.Random(2).randbytes(60_000)
    with edgekit.connect(sim.port, quiet=True) as board:
        assert board.exec("print('hello')") == "hello\n"
        assert board.info.kind == "simulated", "what it measures must not pass for a board's"
        board.put(data, "/big.bin")
        assert board.get("/big.bin") == data
        board.remove("/big.bin")
    with edgekit.connect(sim.port, quiet=True) as board:
        assert board.eval("1 + 1") == 2


# --- the terminal, with a client that knows nothing -----------------------------------------------------------

def test_friendly_prompt_and_ctrl_c_in_a_tight_loop():
    with Sim("--tcp", "0", "--profile", "rp2040", "--clock", "virtual") as sim, sim.client() as client:
        client.sendall(b"\rimport sys; sys.platform\r")
        receive(client, b"'rp2'\r\n>>> ")
        client.sendall(b"\r")
        assert receive(client, b">>> ") == b"\r\n>>> "
        client.sendall(b"\x02")
        assert BANNER in receive(client, b"\r\n>>> ")
        client.sendall(b"while True: pass\r\r")
        receive(client, b"pass\r\n... \r\n")
        time.sleep(0.2)
        client.sendall(b"\x03")
        assert b"KeyboardInterrupt" in receive(client, b">>> ")
        client.sendall(b"import micropython\rmicropython.kbd_intr(-1); print('wa' 'its'); sys.stdin.buffer.read(1)\r")
        receive(client, b"waits\r\n")
        client.sendall(b"\x03")
        assert b"b'\\x03'" in receive(client, b">>> ")


def test_main_py_runs_without_a_client(tmp_path):
    (tmp_path / "main.py").write_text("n = 0\nwhile True:\n    n += 1\n    print('line', n)\n")
    with Sim("--tcp", "0", "--flash", str(tmp_path)) as sim:
        time.sleep(1)
        client = sim.client()
        first = int(re.search(rb"line (\d+)\r\n", receive(client, b"\r\n") + receive(client, b"\r\n"))[1])
        assert first > 100, "what was printed before is gone, as on a UART"
        client.sendall(b"\x03")
        receive(client, b">>> ")
        client.close()


def test_one_client_at_a_time_and_then_the_next():
    with Sim("--tcp", "0") as sim:
        for _ in range(3):
            with sim.client() as first:
                first.sendall(b"\r")
                receive(first, b">>> ")
                with sim.client() as second:
                    assert b"another program uses" in receive(second, b"\r\n")
                    assert second.recv(10) == b""
                first.sendall(b"1 + 1\r")
                receive(first, b"\r\n2\r\n>>> ")


def test_a_web_page_cannot_type():
    with Sim("--tcp", "0") as sim:
        with sim.client() as page:
            page.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n\x03typed = 1\r")
            try:
                assert page.recv(100) == b""
            except ConnectionResetError:
                pass  # the same, said more rudely
        with edgekit.connect(sim.port, quiet=True) as board:
            assert board.eval("'typed' in globals()") is False


@pytest.mark.skipif(not POSIX, reason="SKIP: Windows has no pseudo-terminals")
def test_a_pty_forgets_what_nobody_reads():
    with Sim("--pty") as sim:
        for _ in range(2):
            with edgekit.connect(sim.port, quiet=True) as board:
                board._repl.start("while True: print('x' * 50)")
                time.sleep(0.5)
                # The cable is pulled; the program goes on, and its output has no place to go.
                board._transport.close()
            time.sleep(3)
        with edgekit.connect(sim.port, quiet=True) as board:
            assert board.exec("print('fresh')") == "fresh\n"


# --- how it ends ----------------------------------------------------------------------------------------------

@pytest.mark.skipif(not POSIX, reason="SKIP: Windows sends no single process a ctrl-C")
@pytest.mark.parametrize("port", ["--tcp", "--pty"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_kill_leave_nothing(port, number):
    sim = Sim(port, *(["0"] if port == "--tcp" else []))
    child, = psutil.Process(sim.process.pid).children()
    flash = re.search(r'"flash": "([^"]+)"', " ".join(child.cmdline()))[1]
    assert os.path.isdir(flash)
    code, said = sim.stop(number)
    assert (code, said.strip()) == (0, "The simulated board has ended.")
    assert not child.is_running() and not os.path.exists(flash)
    if port == "--tcp":
        with pytest.raises(ConnectionRefusedError):
            sim.client()


def test_it_says_when_the_board_has_gone():
    sim = Sim("--tcp", "0")
    psutil.Process(sim.process.pid).children()[0].kill()
    sim.process.wait(10)
    code, said = sim.stop()
    assert code == 1
    assert said.startswith("edgekit: The simulated board stopped answering") and "Traceback" not in said


def test_mistakes_end_in_a_sentence(capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert cli.main(["sim", "--tcp", str(number)]) == 1
        assert f"TCP port {number} cannot be used" in capsys.readouterr().err
    assert cli.main(["sim", "--tcp", "70000"]) == 1
    assert "0 for any that is free" in capsys.readouterr().err
    assert cli.main(["sim", "--tcp", "0", "--profile", "esp99"]) == 1
    assert "esp32s3" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert cli.main(["sim", "--tcp", "0", "--flash", str(tmp_path / "file")]) == 1
    assert "Give a folder" in capsys.readouterr().err


def test_windows_gets_one_clear_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pty", None)
    assert cli.main(["sim", "--pty"]) == 1
    assert capsys.readouterr().err == ("edgekit: This system has no pseudo-terminals. Use `edgekit sim --tcp 0` "
                                       "instead.\n")


@pytest.mark.skipif(not POSIX, reason="SKIP: Windows has no pseudo-terminals")
def test_a_slow_reader_loses_nothing():
    """As ampy reads: byte for byte. All that counts is that it goes on reading."""
    with Sim("--pty") as sim:
        terminal = os.open(sim.port, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(terminal, b"\rprint('begin' + 'ning', 'x' * 60000, 'en' + 'd')\r")
            seen = bytearray()
            while not seen.endswith(b">>> ") or b" end\r\n" not in seen:
                seen += os.read(terminal, 64)
                time.sleep(0.004)
        finally:
            os.close(terminal)
        assert seen[seen.index(b"beginning"):] == b"beginning " + b"x" * 60000 + b" end\r\n>>> "
