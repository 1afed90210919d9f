// The simulated board's engine: MicroPython's WebAssembly build behind a UART and a bus, both on pipes.
//
//   node host.mjs '{"flash": "/folder", "clock": "virtual", "heap_bytes": 111168, ...}'
//
// Three threads: this one runs MicroPython and nothing else, so it may block; "reader" takes input and delivers
// ctrl-C; "watcher" sends late output. Frames and shared memory: shared.mjs. Bus requests: bus.py.

import fs from 'node:fs';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { AS_IT_IS, nativeKernels, prepare, seal, unseal } from './build.mjs';
import { Flash } from './flash.mjs';
import * as S from './shared.mjs';

process.on('SIGINT', () => {});  // ctrl-C in a terminal is for the host, which interrupts the board itself

const options = JSON.parse(process.argv[2]);
// heap_bytes is larger: the simulated machine, time and so on are in flash on a board, but here in the heap.
const heapBytes = options.free_heap_bytes;
const memory = S.allocate();
const { cells, ring, answer } = S.views(memory);
const { port1: controls, port2: controlsIn } = new MessageChannel();
controls.unref();
new Worker(new URL('./reader.mjs', import.meta.url),
    { workerData: { memory, controlsIn }, transferList: [controlsIn] });
new Worker(new URL('./watcher.mjs', import.meta.url), { workerData: { memory } });

const CTRL_A = 1, CTRL_B = 2, CTRL_C = 3, CTRL_D = 4, CTRL_E = 5, ENTER = 13, ESCAPE = 27;
const FORCED_EXIT = 0x100;
const RAW_PASTE_WINDOW = 2048;

const EINTR = 27;  // Emscripten's number, which the C code compares with
const EINVAL = 22;

let mp = null;       // the running MicroPython
let module = null;   // its exported functions
let flash = null;

// An error that a system call of ours ends with; `number` is MicroPython's.
function errno(number) {
    const error = new mp.FS.ErrnoError(0);
    error.errno = AS_IT_IS + number;
    return error;
}

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
        noteTime();  // whoever reads this finds the world where the program is
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
            attend();
            poll();
            endIfWanted();
            if (interrupted || restart !== null) {
                return -1;
            }
            // At the prompt time goes on with the real clock only, and with it the watchdog.
            const biteMs = virtual || biteUs === Infinity ? Infinity : Math.max(0, (biteUs - nowUs()) / 1000) + 1;
            Atomics.wait(cells, S.WAKE, seen, biteMs);
        }
    }
    attend();  // a setting that came before the byte holds when the byte is read
    return take();
}

// --- ctrl-C, and what else comes from outside ------------------------------------------------------------------
let interrupted = false;

// Also called in the middle of whatever runs: it only makes notes.
function poll() {
    if (Atomics.load(cells, S.INTERRUPT) === 1) {
        Atomics.store(cells, S.INTERRUPT, 0);
        if (module._mp_hal_get_interrupt_char() === CTRL_C) {
            interrupted = true;
            module._mp_sched_keyboard_interrupt();
        }
    }
    if (Atomics.load(cells, S.BROWN_OUT) === 1) {
        Atomics.store(cells, S.BROWN_OUT, 0);
        restart = { cause: PWRON_RESET, wake: 0, brownOut: true };
    }
    if (nowUs() > biteUs) {
        restart ??= { cause: WDT_RESET, wake: 0 };
    }
    if (restart !== null && running) {
        interrupted = true;  // it ends at the next device that it uses, or here
        module._mp_sched_keyboard_interrupt();
    }
}

globalThis.edgekitPoll = poll;

// Control frames: the clock's kind, the flash's size.
function attend() {
    if (Atomics.exchange(cells, S.CONTROLS, 0) === 0) {
        return;
    }
    for (let message = receiveMessageOnPort(controls); message; message = receiveMessageOnPort(controls)) {
        const { clock, flash_bytes: flashBytes } = message.message;
        if (clock !== undefined) {
            setClock(clock === 'virtual');
        }
        if (flashBytes !== undefined) {
            options.flash_bytes = flashBytes;
            flash?.resize(flashBytes);
        }
    }
}

// --- resets ---------------------------------------------------------------------------------------------------
// A real reset ends a program without a word: an exception of JavaScript that neither MicroPython nor Emscripten's
// file system knows goes through both. What is left of them is thrown away.
const PWRON_RESET = 1, WDT_RESET = 3, SOFT_RESET = 5;
const END = { name: 'the board restarts' };
let restart = null;    // the wanted real reset: cause and wake reason
let softReset = false;  // boot.py or main.py wants one
let running = false;
let cause = PWRON_RESET;
let wakeReason = 0;
let biteUs = Infinity;  // when the watchdog resets the board
let watchdogUs = 0;

function endIfWanted() {
    if (restart !== null && running) {
        throw END;
    }
}

// --- clock ----------------------------------------------------------------------------------------------------
// The virtual clock moves only when a program sleeps, uses the bus, or looks at the clock. What a look costs is
// about what it takes an ESP32: so loops that wait for a time end.
const LOOK_US = 5;
let virtual = options.clock === 'virtual';
let powerOn = performance.now();  // when the real clock was at 0
let virtualUs = 0;
let bootUs = 0;     // when the last real reset was: a program's ticks count from there

function nowUs() {
    return virtual ? virtualUs : Math.floor((performance.now() - powerOn) * 1000);
}

// Time goes on from where it is.
function setClock(wantVirtual) {
    const now = nowUs();
    virtual = wantVirtual;
    virtualUs = now;
    powerOn = performance.now() - now / 1000;
    watchProgram();
}

function lookUs() {
    virtualUs += LOOK_US;
    attend();
    poll();
    const now = nowUs();
    if (interruptPins.size > 0 && now - askedUs > IRQ_LOOK_US) {
        sleepUntil(now);
    }
    return now;
}

function waitReal(untilUs) {
    flush();
    for (let left = untilUs - nowUs(); left > 0; left = untilUs - nowUs()) {
        const seen = Atomics.load(cells, S.WAKE);
        attend();
        poll();
        if (interrupted || virtual) {
            return;
        }
        if (left > 1500) {
            Atomics.wait(cells, S.WAKE, seen, left / 1000 - 1);
        }
    }
}

// --- timers: machine.Timer and others of rom/ -----------------------------------------------------------------
const timers = new Map();  // number: { periodUs, dueUs, startedUs, repeat }
let lastTimer = 0;

function nextDueUs() {
    let due = Infinity;
    for (const timer of timers.values()) {
        due = Math.min(due, timer.dueUs);
    }
    return due;
}

// The number of a timer that is due, -1 if none is. As many calls wait for a busy program as an ESP32's scheduler holds.
const MOST_WAITING = 8;

function takeDueTimer() {
    const now = nowUs();
    for (const [number, timer] of timers) {
        if (timer.dueUs <= now) {
            timer.startedUs = timer.dueUs;
            if (timer.repeat) {
                const missed = Math.floor((now - timer.dueUs) / timer.periodUs);
                timer.dueUs += timer.periodUs * Math.max(1, missed - MOST_WAITING + 2);
            } else {
                timer.dueUs = Infinity;
            }
            return number;
        }
    }
    return -1;
}

// --- bus ------------------------------------------------------------------------------------------------------
const RESET = 0, SLEEP_UNTIL = 1, NOTE_TIME = 2, PIN_IRQ = 6, PULSE = 25;
const HARD_RESET = 120, RTC_WRITE = 121, RTC_READ = 122;  // for the engine itself
const PARTS_FOLLOW = 0x80;
const BUS_HEAD = 9;
const request = Buffer.alloc(1 << 17);
const interruptPins = new Set();
const irqs = [];
const IRQ_POLL_US = 10000;  // with the real clock: how late a pin's interrupt may be seen in a sleep
const IRQ_LOOK_US = 1000;   // and in a loop that looks at the clock
let askedUs = 0;            // when the world was last asked

// Sends the request whose arguments are in `request`; returns the payload of the answer.
function transact(op, size) {
    flush();
    attend();
    poll();
    endIfWanted();
    askedUs = nowUs();
    const seen = Atomics.load(cells, S.ANSWERS);
    request[0] = op;
    request.writeBigUInt64LE(BigInt(askedUs), 1);
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

// It has a buffer of its own, because it may come while a request is being written.
const note = Buffer.alloc(BUS_HEAD);
let notedUs = -1;

function noteTime() {
    const us = nowUs();
    if (us !== notedUs) {
        notedUs = us;
        note[0] = NOTE_TIME;
        note.writeBigUInt64LE(BigInt(us), 1);
        sendFrame(S.NOTE, note, BUS_HEAD);
    }
}

// Lets the world go on; returns how far it came: an interrupt stops it.
function sleepUntil(us) {
    request.writeBigUInt64LE(BigInt(Math.floor(us)), BUS_HEAD);
    return Number(Buffer.from(transact(SLEEP_UNTIL, BUS_HEAD + 8)).readBigUInt64LE(0));
}

// Sleeps at most `us`, until a pin's interrupt or, if wanted, a timer; returns the microseconds that are left.
function sleep(us, withTimers) {
    interrupted = false;
    attend();
    const until = nowUs() + us;
    const wanted = Math.ceil(Math.min(until, biteUs + 1, withTimers ? Math.max(nextDueUs(), nowUs()) : Infinity));
    let reached = wanted;
    if (interruptPins.size > 0) {
        if (!virtual) {
            reached = Math.min(wanted, nowUs() + IRQ_POLL_US);
            waitReal(reached);
        }
        reached = sleepUntil(reached);
    } else if (!virtual) {
        waitReal(wanted);
        reached = Math.min(nowUs(), until);
    }
    virtualUs = Math.max(virtualUs, reached);
    poll();
    return interrupted ? 0 : Math.max(0, until - reached);
}

// --- devices that rom/ opens ----------------------------------------------------------------------------------
let payload = new Uint8Array(0);

let rtcMemory = new Uint8Array(0);
let parts = 0;      // buffers of data that still follow
let gathered = 0;   // bytes of the request so far

function carryOut(op, size) {
    if (op === RTC_WRITE) {
        rtcMemory = Uint8Array.from(request.subarray(BUS_HEAD, size));
        payload = rtcMemory.subarray(0, 0);
    } else if (op === RTC_READ) {
        payload = rtcMemory;
    } else if (op === HARD_RESET) {
        restart = { cause: request[BUS_HEAD], wake: request[BUS_HEAD + 1] };
        endIfWanted();
    } else {
        if (op === PIN_IRQ) {
            const pin = request[BUS_HEAD];
            request[BUS_HEAD + 1] ? interruptPins.add(pin) : interruptPins.delete(pin);
        }
        payload = transact(op, size);
        if (op === PULSE) {
            const reached = Number(Buffer.from(payload).readBigUInt64LE(4));
            virtualUs = Math.max(virtualUs, reached);
            if (!virtual) {
                waitReal(reached);
            }
        }
    }
}

function gather(bytes) {
    if (gathered + bytes.length > request.length) {
        parts = 0;
        throw errno(EINVAL);
    }
    request.set(bytes, gathered);
    gathered += bytes.length;
}

const busDevice = {
    open(stream) { stream.seekable = false; },
    write(stream, heap, offset, length) {
        const bytes = heap.subarray(offset, offset + length);
        if (parts > 0) {
            gather(bytes);
            parts--;
        } else {
            const more = bytes[0] & PARTS_FOLLOW;
            request[0] = bytes[0] & ~PARTS_FOLLOW;
            parts = more ? bytes[1] : 0;
            gathered = BUS_HEAD;
            gather(bytes.subarray(more ? 2 : 1));
        }
        if (parts === 0) {
            carryOut(request[0], gathered);
        }
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
        endIfWanted();
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
        endIfWanted();
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

let wallUs = 0;        // date and time when a program last looked: microseconds since 2000
let wallOffsetUs = 0;  // what the program's own setting adds; it outlives a reset, as on an ESP32
const TICKS_PERIOD = 2 ** 30;

// What a look at the clock gives; below 0 (-1 - ticks): and a handler is due.
function ticks(count) {
    count %= TICKS_PERIOD;
    return irqs.length > 0 || nextDueUs() <= nowUs() ? -1 - count : count;
}

const romModule = {
    ticks_us: () => ticks(lookUs() - bootUs),
    ticks_ms: () => ticks(Math.floor((lookUs() - bootUs) / 1000)),
    now_us: nowUs,
    seconds() {
        wallUs = lookUs() + wallOffsetUs;
        return Math.floor(wallUs / 1e6);
    },
    microseconds: () => wallUs - Math.floor(wallUs / 1e6) * 1e6,  // of the last seconds()
    set_seconds(seconds, us) { wallOffsetUs = seconds * 1e6 + us - nowUs(); },
    sleep,
    pause(ms) {  // in real time, whatever the clock: for somebody's hand
        flush();
        interrupted = false;
        Atomics.wait(cells, S.WAKE, Atomics.load(cells, S.WAKE), ms);
        attend();
        poll();
    },
    spend(us) { virtualUs += us; },
    next_irq: () => irqs.length ? irqs.shift() : -1,
    irq_waits: () => irqs.length,
    cancel() { parts = 0; },
    start_timer(periodUs, repeat) {
        timers.set(++lastTimer, { periodUs, repeat: repeat !== 0, startedUs: nowUs(), dueUs: nowUs() + periodUs });
        return lastTimer;
    },
    stop_timer(number) { timers.delete(number); },
    timer_us: (number) => timers.has(number) ? nowUs() - timers.get(number).startedUs : 0,
    next_timer: takeDueTimer,
    watchdog(ms) {  // 0: feed it
        watchdogUs = ms > 0 ? ms * 1000 : watchdogUs;
        biteUs = nowUs() + watchdogUs;
        watchProgram();
    },
    soft_reset() { softReset = true; },
    reset_cause: () => cause,
    wake_reason: () => wakeReason,
    set_wake_reason(reason) { wakeReason = reason; },
    interrupt_char(char) { Atomics.store(cells, S.RUNNING, char === CTRL_C ? 1 : 0); },
};

// A program that only computes does not look at the watchdog: let the watcher do it.
function watchProgram() {
    Atomics.store(cells, S.WATCH, biteUs < Infinity && !virtual ? 1 : 0);
}

// --- MicroPython ----------------------------------------------------------------------------------------------
async function start() {
    unseal();
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
    const kernels = nativeKernels();
    mp.registerJsModule('_native', { ...kernels, names: Object.keys(kernels).join(' ') });

    // The rom is read before the flash appears, and its folder and the devices vanish: programs do not see them.
    FS.mkdir('/rom');
    const rom = new URL('./rom/', import.meta.url);
    for (const name of fs.readdirSync(rom)) {
        if (name.endsWith('.py')) {
            FS.writeFile(`/rom/${name}`, fs.readFileSync(new URL(name, rom)));
        }
    }
    const profile = JSON.stringify(JSON.stringify({ ...options.profile, heap_bytes: heapBytes }));
    mp.runPython(`import sys\nsys.path.append('/rom')\nimport _start\n_start.start(${profile})`);
    const names = quietly(() => mp.runPython("import sys\nprint(' '.join(sys.modules))"));
    moduleNames = names.trim().split(' ').filter((name) => name[0] !== '_').sort();
    mp.runPython(`del sys\n__import__('_start').started(${heapBytes})`);
    seal();
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
    return runs(() => feed(byte)) ?? true;
}

// Lets a program run; undefined: a real reset ended it.
function runs(program) {
    Atomics.store(cells, S.RUNNING, 1);
    running = true;
    try {
        return program();
    } catch (error) {
        if (error !== END) {
            throw error;
        }
    } finally {
        running = false;
        idle();
    }
}

function idle() {
    Atomics.store(cells, S.RUNNING, 0);
    Atomics.store(cells, S.INTERRUPT, 0);
}

// --- the REPL: what goes to MicroPython as it is, and what this build lacks ------------------------------------
let raw = false;
let moduleNames = [];
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
        if (byte < 0) {
            return false;
        }
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
    if (byte === CTRL_B) {
        raw = false;
        underItsName(() => feed(byte));
        return false;
    }
    rawLine = byte <= CTRL_C ? 0 : rawLine + 1;
    return feed(byte);
}

// This build completes the names of its own modules only, so after "import" the host does it for the board's.
const TAB = 9, ERASE = [8, 127];
let typed = '';    // the line, while it was typed from left to right

function noteTyped(byte) {
    if (byte >= 32 && byte < 127) {
        typed += String.fromCharCode(byte);
    } else if (ERASE.includes(byte)) {
        typed = typed.slice(0, -1);
    } else {
        typed = byte === ESCAPE ? '\0' : '';
    }
}

function complete() {
    const start = /^(?:import|from) (\w+)$/.exec(typed)?.[1];
    heard = '';
    feed(TAB);
    const said = heard;
    heard = null;
    if (start === undefined || said !== '') {
        typed = '\0';  // what was added is not known
        return;
    }
    const names = moduleNames.filter((name) => name.startsWith(start));
    let rest = names.length > 0 ? names[0].slice(start.length) : '';
    while (!names.every((name) => name.startsWith(start + rest))) {
        rest = rest.slice(0, -1);
    }
    for (const byte of Buffer.from(rest)) {
        noteTyped(byte);
        feed(byte);
    }
}

function friendlyByte(byte) {
    if (byte === TAB) {
        complete();
        return false;
    }
    noteTyped(byte);
    if (byte === CTRL_A) {
        heard = '';
        feed(byte);
        raw = heard.includes('raw REPL');  // else it moved the cursor
        rawLine = 0;
        heard = null;
        return false;
    }
    if (byte === CTRL_B) {
        underItsName(() => feed(byte));
        return false;
    }
    return byte === ENTER || byte === CTRL_D ? feedRunning(byte) : feed(byte);
}

// What an action prints, without printing it.
function quietly(action) {
    const before = heard;
    heard = '';
    muted = true;
    action();
    muted = false;
    const said = heard;
    heard = before;
    return said;
}

// Prints what an action prints, with the board's name instead of the build's.
function underItsName(action) {
    print(quietly(action).replace('JS with Emscripten', options.profile.machine).replace(/\r?\n/g, '\r\n'));
}

async function boot() {
    await start();
    for (const name of raw ? ['boot.py'] : ['boot.py', 'main.py']) {
        if (restart === null && mp.FS.root.contents[name]) {
            runs(() => mp.runPython(`__import__('_start').run_file('${name}')`));
        }
    }
    if (restart !== null || softReset) {
        return;
    }
    if (raw) {
        muted = true;
        module._mp_js_repl_init();
        muted = false;
        feed(CTRL_A);
        rawLine = 0;
    } else {
        underItsName(() => module._mp_js_repl_init());
    }
}

// What an ESP32's boot loader says: brown-out, watchdog, deep sleep, software.
const BOOT_LOADER = { 1: '0xf (RTCWDT_BROWN_OUT_RESET)', 3: '0xc (SW_CPU_RESET)', 4: '0x5 (DEEPSLEEP_RESET)',
    2: '0xc (SW_CPU_RESET)' };

async function reset() {
    timers.clear();
    interruptPins.clear();
    irqs.length = 0;
    parts = 0;
    if (restart === null) {
        flash.saveAll();
        cause = SOFT_RESET;
        print('MPY: soft reboot\r\n');
    } else {
        hardReset(restart);
    }
    restart = null;
    softReset = false;
    transact(RESET, BUS_HEAD);
    await boot();
}

// Files that were not closed are as they were last closed; RTC memory stays as long as there is power.
function hardReset({ cause: why, wake, brownOut }) {
    cause = why;
    wakeReason = wake;
    raw = false;
    biteUs = Infinity;
    watchProgram();
    bootUs = nowUs();
    skip = 0;
    muted = false;
    heard = null;
    if (brownOut) {
        rtcMemory = new Uint8Array(0);
        wallOffsetUs = -bootUs;
    }
    if (options.profile.sys_platform === 'esp32') {
        print(`${brownOut ? '\r\nBrownout detector was triggered\r\n' : ''}\r\nrst:${BOOT_LOADER[why]},boot:0x13 `
            + '(SPI_FAST_FLASH_BOOT)\r\n');
    }
}

prepare(heapBytes, () => module);
await import('./node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs');
await boot();
for (;;) {
    const byte = restart !== null || softReset ? -1 : readByte();
    const ended = byte >= 0 && (raw ? rawByte(byte) : friendlyByte(byte));
    if (ended || restart !== null || softReset) {
        await reset();
    }
}
