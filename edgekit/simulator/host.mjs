// The simulated board's engine: MicroPython's WebAssembly build behind a UART and a bus, both on pipes.
//
//   node host.mjs '{"flash": "/folder", "clock": "virtual", "heap_bytes": 111168, ...}'
//
// Three threads: this one runs MicroPython and nothing else, so it may block; "reader" takes input and delivers
// ctrl-C; "watcher" sends late output. Frames and shared memory: shared.mjs. Bus requests: bus.py.

import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Flash } from './flash.mjs';
import * as S from './shared.mjs';

process.on('SIGINT', () => {});  // ctrl-C in a terminal is for the host, which interrupts the board itself

const options = JSON.parse(process.argv[2]);
const memory = S.allocate();
const { cells, ring, answer } = S.views(memory);
for (const thread of ['reader', 'watcher']) {
    new Worker(new URL(`./${thread}.mjs`, import.meta.url), { workerData: memory });
}

const CTRL_A = 1, CTRL_B = 2, CTRL_C = 3, CTRL_D = 4, CTRL_E = 5, ENTER = 13;
const FORCED_EXIT = 0x100;
const RAW_PASTE_WINDOW = 2048;

// Emscripten's errno numbers, and those that MicroPython has on a board.
const ERRNO = { 2: 13, 6: 11, 8: 9, 10: 16, 20: 17, 28: 22, 31: 21, 33: 24, 37: 36, 44: 2, 48: 12, 51: 28, 54: 20,
    55: 39, 59: 6, 60: 19, 63: 1, 69: 30, 70: 29, 75: 18 };

const EINTR = 27;  // Emscripten's number, which the C code compares with

let mp = null;       // the running MicroPython
let module = null;   // its exported functions
let flash = null;

// An error that a system call of ours ends with; `number` is MicroPython's.
function errno(number) {
    const error = new mp.FS.ErrnoError(0);
    error.errno = AS_IT_IS + number;
    return error;
}

// The numbers are translated where MicroPython calls JavaScript: in the imports of its module. It is compiled once.
const AS_IT_IS = 1000;
const board = (code) => code >= AS_IT_IS ? code - AS_IT_IS : ERRNO[code] ?? code;
const instantiate = WebAssembly.instantiate;
let compiled = null;
WebAssembly.instantiate = async (binary, imports) => {
    for (const functions of new Set(Object.values(imports))) {
        for (const [name, original] of Object.entries(functions)) {
            if (name.startsWith('__syscall_')) {  // negative: an error
                functions[name] = (...args) => {
                    const result = original(...args);
                    return result < 0 ? -board(-result) : result;
                };
            } else if (name.startsWith('fd_')) {
                functions[name] = (...args) => board(original(...args));
            }
        }
    }
    compiled ??= await WebAssembly.compile(binary);
    return { module: compiled, instance: await instantiate(compiled, imports) };
};

// --- frames out -----------------------------------------------------------------------------------------------
const OUT_MAX = 8192;
const LATE_MS = 2;
const out = Buffer.alloc(OUT_MAX);
let outSize = 0;
let lastFlush = 0;
let sending = 0;    // above 0: the watcher must not flush in the middle

function writeAll(buffer, size) {
    for (let done = 0; done < size;) {
        try {
            done += fs.writeSync(1, buffer, done, size - done);
        } catch (error) {
            if (error.code !== 'EAGAIN') {
                process.kill(process.pid, 'SIGKILL');  // nobody reads any more
            }
        }
    }
}

const frame = Buffer.alloc(S.FRAME_HEAD + Math.max(OUT_MAX, S.ANSWER_MAX));

function sendFrame(type, bytes, size) {
    sending++;
    frame[0] = type;
    frame.writeUInt32LE(size, 1);
    frame.set(bytes.subarray(0, size), S.FRAME_HEAD);
    writeAll(frame, S.FRAME_HEAD + size);
    sending--;
}

function flush() {
    if (outSize > 0) {
        sending++;
        sendFrame(S.UART, out, outSize);
        outSize = 0;
        sending--;
        lastFlush = performance.now();
    }
    Atomics.store(cells, S.UNSENT, 0);
}

// The watcher calls it in the middle of whatever runs.
globalThis.edgekitFlush = () => {
    if (sending === 0) {
        flush();
    }
};

function put(byte) {
    if (outSize === OUT_MAX) {
        flush();
    }
    out[outSize++] = byte;
}

function printed() {
    if (performance.now() - lastFlush > LATE_MS) {
        flush();
    } else if (cells[S.UNSENT] === 0) {
        Atomics.store(cells, S.UNSENT, 1);
    }
    poll();
}

function print(text) {
    sending++;
    for (const byte of Buffer.from(text, 'latin1')) {
        put(byte);
    }
    sending--;
    printed();
}

// --- UART in --------------------------------------------------------------------------------------------------
function available() {
    return Atomics.load(cells, S.RING_HEAD) !== cells[S.RING_TAIL];
}

function take() {
    const tail = cells[S.RING_TAIL];
    const byte = ring[(tail >>> 0) % S.RING_SIZE];
    Atomics.store(cells, S.RING_TAIL, (tail + 1) | 0);
    return byte;
}

// The next byte; -1: ctrl-C came instead, while a program was reading.
function readByte() {
    if (!available()) {
        interrupted = false;
        noteTime();
        flush();
        for (;;) {
            const seen = Atomics.load(cells, S.WAKE);
            if (available()) {
                break;
            }
            poll();
            if (interrupted) {
                return -1;
            }
            Atomics.wait(cells, S.WAKE, seen);
        }
    }
    return take();
}

// --- ctrl-C ---------------------------------------------------------------------------------------------------
let interrupted = false;

function poll() {
    if (Atomics.load(cells, S.INTERRUPT) === 1) {
        Atomics.store(cells, S.INTERRUPT, 0);
        if (module._mp_hal_get_interrupt_char() === CTRL_C) {
            interrupted = true;
            module._mp_sched_keyboard_interrupt();
        }
    }
}

// The reader calls it in the middle of whatever runs.
globalThis.edgekitInterrupt = poll;

// --- clock ----------------------------------------------------------------------------------------------------
// The virtual clock moves only when a program sleeps, uses the bus, or looks at the clock. What a look costs is
// about what it takes an ESP32: so loops that wait for a time end.
const LOOK_US = 5;
const virtual = options.clock === 'virtual';
const powerOn = performance.now();
let virtualUs = 0;

function nowUs() {
    return virtual ? virtualUs : Math.floor((performance.now() - powerOn) * 1000);
}

function lookUs() {
    virtualUs += LOOK_US;
    poll();
    return nowUs();
}

function waitReal(untilUs) {
    flush();
    for (let left = untilUs - nowUs(); left > 0; left = untilUs - nowUs()) {
        const seen = Atomics.load(cells, S.WAKE);
        poll();
        if (interrupted) {
            return;
        }
        if (left > 1500) {
            Atomics.wait(cells, S.WAKE, seen, left / 1000 - 1);
        }
    }
}

// --- bus ------------------------------------------------------------------------------------------------------
const RESET = 0, SLEEP_UNTIL = 1, PIN_IRQ = 6;
const BUS_HEAD = 9;
const request = Buffer.alloc(1 << 17);
const interruptPins = new Set();
const irqs = [];
const IRQ_POLL_US = 10000;  // with the real clock: how late a pin's interrupt may be seen

// Sends the request whose arguments are in `request`; returns the payload of the answer.
function transact(op, size) {
    flush();
    const seen = Atomics.load(cells, S.ANSWERS);
    request[0] = op;
    request.writeBigUInt64LE(BigInt(nowUs()), 1);
    sendFrame(S.BUS, request, size);
    while (Atomics.load(cells, S.ANSWERS) === seen) {
        Atomics.wait(cells, S.ANSWERS, seen);
    }
    const count = answer[1];
    const payload = 2 + 2 * count;
    for (let i = 2; i < payload; i += 2) {
        irqs.push(answer[i] | answer[i + 1] << 8);
    }
    poll();
    if (answer[0] !== 0) {
        throw errno(answer[0]);
    }
    return answer.subarray(payload, cells[S.ANSWER_SIZE]);
}

function noteTime() {
    request[0] = 2;
    request.writeBigUInt64LE(BigInt(nowUs()), 1);
    sendFrame(S.NOTE, request, BUS_HEAD);
}

// Sleeps until a pin's interrupt, at most `us`; returns the microseconds that are left.
function sleep(us) {
    interrupted = false;
    const until = nowUs() + us;
    let reached = until;
    if (interruptPins.size > 0) {
        if (!virtual) {
            reached = Math.min(until, nowUs() + IRQ_POLL_US);
            waitReal(reached);
        }
        request.writeBigUInt64LE(BigInt(reached), BUS_HEAD);
        const payload = transact(SLEEP_UNTIL, BUS_HEAD + 8);
        reached = Number(Buffer.from(payload).readBigUInt64LE(0));
    } else if (!virtual) {
        waitReal(until);
    }
    virtualUs = reached;
    poll();
    return interrupted ? 0 : Math.max(0, until - reached);
}

// --- devices that rom/ opens ----------------------------------------------------------------------------------
let payload = new Uint8Array(0);

const busDevice = {
    open(stream) { stream.seekable = false; },
    write(stream, heap, offset, length) {
        request.set(heap.subarray(offset + 1, offset + length), BUS_HEAD);
        const op = heap[offset];
        if (op === PIN_IRQ) {
            const pin = heap[offset + 1];
            heap[offset + 2] ? interruptPins.add(pin) : interruptPins.delete(pin);
        }
        payload = transact(op, BUS_HEAD + length - 1);
        return length;
    },
    read(stream, heap, offset, length) {
        const size = Math.min(length, payload.length);
        heap.set(payload.subarray(0, size), offset);
        payload = payload.subarray(size);
        return size;
    },
};

const uartDevice = {
    open(stream) { stream.seekable = false; },
    write(stream, heap, offset, length) {
        sending++;
        for (let i = 0; i < length; i++) {
            put(heap[offset + i] & 0xff);
        }
        sending--;
        printed();
        return length;
    },
    read(stream, heap, offset, length) {
        let size = 0;
        while (size < length && (size === 0 || available())) {
            const byte = readByte();
            if (byte < 0) {
                throw errno(EINTR);  // MicroPython then raises KeyboardInterrupt
            }
            heap[offset + size++] = byte;
        }
        return size;
    },
    poll: () => (available() ? 1 : 0) | 4,
    fsync: () => 0,
};

// What print() writes: a line ends with CR LF on a UART.
let lastByte = 0;
let skip = 0;         // bytes to drop
let muted = false;
let heard = null;     // a copy of what is printed, when somebody listens
const textDevice = {
    ...uartDevice,
    write(stream, heap, offset, length) {
        if (heard !== null) {
            heard += Buffer.from(heap.subarray(offset, offset + length)).toString('latin1');
        }
        const size = length;
        const skipped = muted ? length : Math.min(skip, length);
        skip -= Math.min(skip, skipped);
        offset += skipped;
        length -= skipped;
        sending++;
        for (let i = 0; i < length; i++) {
            const byte = heap[offset + i] & 0xff;
            if (byte === 10 && lastByte !== 13) {
                put(13);
            }
            put(byte);
            lastByte = byte;
        }
        sending--;
        printed();
        return size;
    },
};

let resetWanted = false;
let wallUs = 0;        // date and time when a program last looked: microseconds since 2000
let wallOffsetUs = 0;  // what the program's own setting adds; it outlives a reset, as on an ESP32
const TICKS_PERIOD = 2 ** 30;
const romModule = {
    ticks_us: () => lookUs() % TICKS_PERIOD,
    ticks_ms: () => Math.floor(lookUs() / 1000) % TICKS_PERIOD,
    seconds() {
        wallUs = lookUs() + wallOffsetUs;
        return Math.floor(wallUs / 1e6);
    },
    microseconds: () => wallUs - Math.floor(wallUs / 1e6) * 1e6,  // of the last seconds()
    set_seconds(seconds, us) { wallOffsetUs = seconds * 1e6 + us - nowUs(); },
    sleep,
    spend(us) { virtualUs += us; },
    next_irq: () => irqs.length ? irqs.shift() : -1,
    interrupt_char(char) { Atomics.store(cells, S.RUNNING, char === CTRL_C ? 1 : 0); },
    reset() { resetWanted = true; },
};

// --- MicroPython ----------------------------------------------------------------------------------------------
async function start() {
    mp = await globalThis.loadMicroPython({
        heapsize: options.heap_bytes, pystack: options.pystack_words, linebuffer: false,
    });
    module = mp._module;
    const FS = mp.FS;
    const stat = FS.stat;
    FS.stat = (path, ...rest) => stat(path === '' ? '.' : path, ...rest);
    FS.streams[0].stream_ops = FS.streams[1].stream_ops = FS.streams[2].stream_ops = textDevice;
    for (const [minor, name, device] of [[1, 'bus', busDevice], [2, 'uart', uartDevice]]) {
        const number = FS.makedev(64, minor);
        FS.registerDevice(number, device);
        FS.mkdev(`/dev/${name}`, number);
    }
    mp.registerJsModule('_host', romModule);

    // The rom is read before the flash appears, and its folder and the devices vanish: programs do not see them.
    FS.mkdir('/rom');
    const rom = new URL('./rom/', import.meta.url);
    for (const name of fs.readdirSync(rom)) {
        if (name.endsWith('.py')) {
            FS.writeFile(`/rom/${name}`, fs.readFileSync(new URL(name, rom)));
        }
    }
    const profile = JSON.stringify(JSON.stringify(options.profile));
    mp.runPython(`import sys\nsys.path.append('/rom')\nimport _start\n_start.start(${profile})`);
    for (const name of Object.keys(FS.root.contents)) {
        FS.hashRemoveNode(FS.root.contents[name]);
        delete FS.root.contents[name];
    }
    flash = new Flash(FS, options.flash, options.flash_bytes);
}

// Gives the REPL one byte; true: it asked for a reset.
function feed(byte) {
    return (module._mp_js_repl_process_char(byte) & FORCED_EXIT) !== 0;
}

// Runs what the byte starts, so that ctrl-C interrupts it.
function feedRunning(byte) {
    Atomics.store(cells, S.RUNNING, 1);
    const ended = feed(byte);
    idle();
    return ended;
}

function idle() {
    Atomics.store(cells, S.RUNNING, 0);
    Atomics.store(cells, S.INTERRUPT, 0);
}

// --- the REPL: what goes to MicroPython as it is, and what this build lacks ------------------------------------
let raw = false;
let rawLine = 0;  // bytes of code since the prompt

function runRaw(code) {
    if (code.length === 0) {  // the plain raw way takes nothing for a soft reset
        code = [ENTER];
    }
    for (const byte of code) {
        feed(byte);
    }
    skip = 2;  // the plain raw way says "OK" first
    return feedRunning(CTRL_D);
}

// This build's own raw paste would read zeros for ever.
function rawPaste() {
    print('R\x01' + String.fromCharCode(RAW_PASTE_WINDOW & 0xff, RAW_PASTE_WINDOW >> 8) + '\x01');
    const code = [];
    for (let left = RAW_PASTE_WINDOW; ; ) {
        const byte = readByte();
        if (byte === CTRL_C) {
            print('\x04\x04\x04>');
            return false;
        }
        if (byte === CTRL_D) {
            break;
        }
        code.push(byte);
        if (--left === 0) {
            print('\x01');
            left = RAW_PASTE_WINDOW;
        }
    }
    print('\x04');
    return runRaw(code);
}

function rawByte(byte) {
    if (byte === CTRL_E && rawLine === 0) {
        const kind = readByte(), end = readByte();
        if (kind === 0x41 && end === CTRL_A) {
            return rawPaste();
        }
        print('R\x00>');
        return false;
    }
    if (byte === CTRL_D) {
        rawLine = 0;
        return feedRunning(byte);
    }
    raw = byte !== CTRL_B;
    rawLine = byte <= CTRL_C ? 0 : rawLine + 1;
    return feed(byte);
}

function friendlyByte(byte) {
    if (byte === CTRL_A) {
        heard = '';
        feed(byte);
        raw = heard.includes('raw REPL');  // else it moved the cursor
        rawLine = 0;
        heard = null;
        return false;
    }
    return byte === ENTER || byte === CTRL_D ? feedRunning(byte) : feed(byte);
}

async function boot() {
    await start();
    Atomics.store(cells, S.RUNNING, 1);
    const names = raw ? ['boot.py'] : ['boot.py', 'main.py'];
    for (const name of names.filter((name) => mp.FS.root.contents[name])) {
        mp.runPython(`__import__('_start').run_file('${name}')`);
    }
    idle();
    muted = raw;
    module._mp_js_repl_init();
    muted = false;
    if (raw) {
        feed(CTRL_A);
        rawLine = 0;
    }
}

async function reset() {
    flash.saveAll();
    interruptPins.clear();
    irqs.length = 0;
    transact(RESET, BUS_HEAD);
    if (!resetWanted) {
        print('MPY: soft reboot\r\n');
    }
    resetWanted = false;
    await boot();
}

await import('./node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs');
await boot();
for (;;) {
    const byte = readByte();
    const ended = raw ? rawByte(byte) : friendlyByte(byte);
    if (ended || resetWanted) {
        await reset();
    }
}
