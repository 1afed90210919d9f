"""The command ``edgekit``: the pipeline's verbs in the terminal."""

import argparse
import contextlib
import json
import sys
from pathlib import Path

from edgekit.errors import BoardCodeError, EdgekitError, ModelError


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : list of str, optional
        The words after ``edgekit``; those of the command line by default.

    Returns
    -------
    int
        0 if all went well, 1 after an error (its sentence is on stderr), 130 after ctrl-C.
    """
    options = _parser().parse_args(argv)
    try:
        return options.command(options) or 0
    except BoardCodeError as error:
        print(f"{error.traceback.strip()}\nedgekit: The program on the board ended with {error.reason}. "
              "The lines above say where.", file=sys.stderr)
        return 1
    except EdgekitError as error:
        print(f"edgekit: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="edgekit", description="Learn Edge ML by doing it.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name, function, help, **defaults):
        command = commands.add_parser(name, help=help, description=help)
        command.set_defaults(command=function, **defaults)
        return command

    def with_port(command):
        command.add_argument("--port", help="serial port, or sim; default: a board that is plugged in, else sim")
        return command

    add("demo", _demo, "the whole path: capture, train, convert, deploy, recognise")
    add("boards", _boards, "list the boards that are plugged in; each is asked what it is")
    doctor = add("doctor", _doctor, "look at this computer and a board; say what to mend")
    doctor.add_argument("port", nargs="?", default="sim", help="serial port; default: the simulated board")
    sim = add("sim", _sim, "a simulated board that other programs (mpremote) can use; ctrl-C ends it")
    where = sim.add_mutually_exclusive_group(required=True)
    where.add_argument("--tcp", type=int, metavar="PORT", help="a TCP port of this computer alone; 0: any free one")
    where.add_argument("--pty", action="store_true", help="a pseudo-terminal, such as /dev/pts/3 (not on Windows)")
    sim.add_argument("--profile", default="esp32", help="which board: esp32 (default), nano33ble, rp2040, ...")
    sim.add_argument("--flash", type=Path, metavar="FOLDER", help="holds the board's files; default: a temporary one")
    sim.add_argument("--clock", choices=["real", "virtual"], default="real")
    sim.add_argument("--engine", choices=["auto", "wasm", "unix"], default="auto",
                     help="what runs MicroPython: WebAssembly (default), or a program micropython of this computer")
    run = with_port(add("run", _run, "run an app of firmware/apps on the board"))
    run.add_argument("app", help="for example sensor_loop")
    run.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="for example count=10")
    capture = with_port(add("capture", _capture, "record from the board's motion sensor"))
    capture.add_argument("file", type=Path, help="where to write: .csv, .npz or .wav")
    capture.add_argument("--seconds", type=float, default=5.0)
    capture.add_argument("--label", default="")
    capture.add_argument("--subject", default="")
    report = add("report", _report, "what is in a model (.tflite, or of to_board), and which boards it fits")
    report.add_argument("model", type=Path)
    report.add_argument("--board", action="append", metavar="NAME", help="only this board: esp32, nano33ble, ...")
    report.add_argument("--app", default="gesture", help="the app that shall use the model; default: gesture")
    report.add_argument("--json", action="store_true", help="print JSON")
    infer = add("infer", _infer, "run a .tflite model on inputs from a file")
    infer.add_argument("model", type=Path)
    infer.add_argument("--input", type=Path, required=True, metavar="X.npy", help="one input, or N of them")
    infer.add_argument("--on", default="host", metavar="host|sim|PORT", help="where it runs; default: host")
    infer.add_argument("--raw", action="store_true", help="stored outputs (int8) as they are")
    infer.add_argument("--json", action="store_true", help="print JSON")
    keyword = add("keyword", _keyword, "look for the words yes and no in a sound file")
    keyword.add_argument("file", type=Path, metavar="FILE.wav")
    keyword.add_argument("--on", default="host", metavar="host|sim|PORT",
                         help="where it is heard; default: host. sim: played into the simulated board's microphone; a "
                              "real board gets the samples as a file")
    keyword.add_argument("--json", action="store_true", help="print JSON")
    deploy = with_port(add("deploy", _deploy, "put the gesture model on the board and compare its answers"))
    deploy.add_argument("model", type=Path, nargs="?", help="an int8 .tflite; default: yours, else the shipped one")
    flash = add("flash", _flash, "put MicroPython on a board")
    flash.add_argument("firmware", help=".bin (ESP32, Nano 33 BLE), .uf2 (RP2040) or .dfu (STM32) file; or esp32, esp32s3, "
                                        "rp2040: that file is downloaded once")
    flash.add_argument("--port", help="serial port; default: the one board that is plugged in")
    flash.add_argument("--erase", action="store_true", help="ESP32: erase the board's files too")
    flash.add_argument("--new-bootloader", action="store_true", help="Nano 33 BLE: it has Arduino's updated bootloader")
    new = add("new", _new, "make a project of your own: a folder that runs from the start")
    new.add_argument("name", help="the folder's name, for example washer")
    new.add_argument("--in", dest="folder", type=Path, default=Path("."), metavar="FOLDER", help="where; default: here")
    project = add("project", _project, "check a project's project.yml, and its budget if there is a model")
    project.add_argument("folder", type=Path, nargs="?", default=Path("."), help="default: here")
    course = add("course", _course, "make the generated parts of the course again")
    course.add_argument("part", choices=["exercises", "datasets", "models", "wiring"])
    return parser


def _demo(_):
    from edgekit.demo import main as demo
    return demo()


def _boards(_):
    from edgekit.board.ports import ask, find_ports, ports_text
    ports = find_ports()
    if not ports:
        print(ports_text())
    for port in ports:
        print(port, flush=True)
        if port.is_board:
            print(f"  {ask(port)}", flush=True)
    if ports:
        print("Connect with edgekit.connect(PORT), or use the simulated board: edgekit.connect('sim').")


def _doctor(options):
    from edgekit.board.doctor import doctor
    findings = doctor(options.port)
    print(findings)
    return 0 if findings.ok else 1


def _sim(options):
    import signal

    from edgekit.board.simulated import power_on
    from edgekit.simulator.ports import PtyPort, TcpPort, serve
    # A terminal that closes, or `kill`, ends it as ctrl-C does: with all that belongs to it. (A shell that starts it in the
    # background hands on that ctrl-C is ignored.)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        with contextlib.closing(PtyPort() if options.pty else TcpPort(options.tcp)) as port, \
                power_on(options.profile, options.flash, options.clock, options.engine) as engine:
            print(f"Simulated {options.profile} on {port.name} (no hardware). For example: "
                  f"mpremote connect {port.name} ls. ctrl-C here ends it.", flush=True)
            serve(engine, port)
    except KeyboardInterrupt:
        print("\nThe simulated board has ended.")


def _run(options):
    import ast

    from edgekit import connect
    settings = {}
    for word in options.settings:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise EdgekitError(f"Expected NAME=VALUE, for example count=10, found {word!r}.")
        try:
            settings[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            settings[name] = value
    with connect(options.port) as board:
        board.run(options.app, on_output=lambda text: print(text, end="", flush=True), **settings)


def _capture(options):
    import warnings

    from edgekit import connect
    from edgekit.capture import capture
    with connect(options.port) as board, warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        recording = capture(board, options.seconds, label=options.label, subject=options.subject)
    for warning in noticed:
        print(f"edgekit: {warning.message}", file=sys.stderr)
    recording.save(options.file)
    print(f"{options.file}: {recording.duration_s:.2f} s, {len(recording.samples)} samples, "
          f"{recording.lost} lost, source {recording.source}")


def _report(options):
    from edgekit import classical, tflite
    if classical.is_classic(options.model):
        made = classical.report(options.model, options.board)
    else:
        made = tflite.report(options.model, options.board, options.app)
    print(json.dumps(made.to_dict(), indent=1) if options.json else made)


def _infer(options):
    from edgekit.classical import is_classic
    from edgekit.infer import infer, load_inputs
    if is_classic(options.model):
        raise ModelError(f"{options.model} is a classical model, infer runs .tflite files. In Python: "
                         "edgekit.convert.load_classic(data).predict(x); on a board: classic.load_model(path).predict(x).")
    answer = infer(options.model, load_inputs(options.input), options.on, options.raw)
    if options.json:
        print(json.dumps(answer.to_dict()))
        return
    print(f"{len(answer.outputs)} outputs, {answer.dtype}, computed on the {answer.where}"
          + ("" if not options.raw else f"; scale {answer.scale:.6g}, zero point {answer.zero_point}"))
    for row in answer.outputs:
        print(" ".join(f"{value:d}" if options.raw and answer.dtype == "int8" else f"{value:.4f}"
                       for value in row.reshape(-1)))


def _keyword(options):
    from edgekit.spotting import hear_file
    heard = hear_file(options.file, options.on)
    print(json.dumps(heard.to_dict()) if options.json else heard)


def _deploy(options):
    from edgekit import connect
    from edgekit.deploy import gesture_bundle
    bundle = gesture_bundle(options.model)
    with connect(options.port) as board:
        bundle.deploy(board)
        print(f"{bundle.name}: {len(bundle.model)} bytes on {board.info.name} ({board.info.kind})")


def _flash(options):
    from edgekit.board.flash import DOWNLOADS, download_firmware, flash, read_firmware
    downloaded = options.firmware in DOWNLOADS and not Path(options.firmware).exists()
    firmware = read_firmware(download_firmware(options.firmware) if downloaded else options.firmware)
    print(firmware, flush=True)
    print(flash(firmware, options.port, options.erase, options.new_bootloader))


def _new(options):
    from edgekit.project import new
    made = new(options.name, options.folder)
    print(f"Made {made}: a project that runs as it is, with synthetic recordings. Next: read {made / 'README.md'}, open "
          f"{made / 'project.ipynb'} in JupyterLab, and change project.yml to your question.")


def _project(options):
    from edgekit.project import Project, needs
    project = Project.load(options.folder)
    print(f"{project.name}: {project.question} project.yml is right.")
    model = project.folder / "build" / "model.bin"
    if not model.exists():
        print("No model yet: project.ipynb makes build/model.bin, then the budget is checked here too.")
        return 0
    budget = needs(project, model)
    print(budget)
    return 0 if budget.ok else 1


def _course(options):
    if options.part == "exercises":
        from edgekit.course.exercises import build
    elif options.part == "datasets":
        from edgekit.course.build_datasets import build
    elif options.part == "wiring":
        from edgekit.course.wiring import build
    else:
        from edgekit.course.build_models import build
    for path in build() or ():
        print(path)
