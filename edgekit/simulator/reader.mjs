// Thread "reader": takes frames from stdin, so that input arrives while the main thread is busy.
// It ends the whole process when stdin ends: the parent is gone, in whatever way.

import fs from 'node:fs';
import inspector from 'node:inspector';
import { workerData } from 'node:worker_threads';
import * as S from './shared.mjs';

const { memory, controlsIn } = workerData;
const { cells, ring, answer } = S.views(memory);
const CTRL_C = 3;
let session = null;

function wake() {
    Atomics.add(cells, S.WAKE, 1);
    Atomics.notify(cells, S.WAKE);
}

function interrupt(cell) {
    Atomics.store(cells, cell, 1);
    wake();
    // A loop that only computes never looks at the cell. V8 can run a function in the middle of it.
    if (session === null) {
        session = new inspector.Session();
        session.connectToMainThread();
    }
    session.post('Runtime.evaluate', { expression: 'edgekitPoll()' });
}

function control(settings) {
    if (settings.reset === 'brown-out') {
        interrupt(S.BROWN_OUT);
        return;
    }
    controlsIn.postMessage(settings);
    Atomics.store(cells, S.CONTROLS, 1);
    wake();
}

function uart(bytes) {
    for (const byte of bytes) {
        if (byte === CTRL_C && Atomics.load(cells, S.RUNNING)) {
            interrupt(S.INTERRUPT);
            continue;
        }
        const head = cells[S.RING_HEAD];
        // A full ring drops bytes, as a UART does; raw paste's flow control keeps far below this.
        if (((head - Atomics.load(cells, S.RING_TAIL)) >>> 0) < S.RING_SIZE) {
            ring[(head >>> 0) % S.RING_SIZE] = byte;
            Atomics.store(cells, S.RING_HEAD, (head + 1) | 0);
        }
    }
    wake();
}

function handle(type, payload) {
    if (type === S.UART) {
        uart(payload);
    } else if (type === S.ANSWER) {
        answer.set(payload.subarray(0, S.ANSWER_MAX));
        cells[S.ANSWER_SIZE] = payload.length;
        Atomics.add(cells, S.ANSWERS, 1);
        Atomics.notify(cells, S.ANSWERS);
    } else if (type === S.CONTROL) {
        control(JSON.parse(payload));
    }
}

function readChunk(buffer) {
    for (;;) {
        try {
            return fs.readSync(0, buffer, 0, buffer.length, null);
        } catch (error) {
            if (error.code === 'EAGAIN') {
                Atomics.wait(cells, S.CELLS - 1, cells[S.CELLS - 1], 1);
            } else {
                return 0;  // Windows says EOF with an error
            }
        }
    }
}

let pending = Buffer.alloc(0);
const chunk = Buffer.alloc(1 << 16);
for (;;) {
    const count = readChunk(chunk);
    if (count === 0) {
        process.kill(process.pid, 'SIGKILL');
    }
    pending = pending.length ? Buffer.concat([pending, chunk.subarray(0, count)]) : Buffer.from(chunk.subarray(0, count));
    while (pending.length >= S.FRAME_HEAD) {
        const end = S.FRAME_HEAD + pending.readUInt32LE(1);
        if (pending.length < end) {
            break;
        }
        handle(pending[0], pending.subarray(S.FRAME_HEAD, end));
        pending = pending.subarray(end);
    }
}
