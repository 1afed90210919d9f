// Thread "watcher": sends what a program printed before it went on to compute, lets such a program look at its
// watchdog, and sees to it that the process ends when its parent has gone but another process still holds the pipe.

import inspector from 'node:inspector';
import { workerData } from 'node:worker_threads';
import * as S from './shared.mjs';

const LATE_MS = 15;
const WATCH_MS = 105;
const { cells } = S.views(workerData.memory);
const parent = process.ppid;
let session = null;
let late = false;
let sinceLookMs = 0;

// Calls a function of the main thread in the middle of whatever it does.
function call(name) {
    if (session === null) {
        session = new inspector.Session();
        session.connectToMainThread();
    }
    session.post('Runtime.evaluate', { expression: `${name}()` });
}

setInterval(() => {
    if (process.ppid !== parent) {
        process.kill(process.pid, 'SIGKILL');
    }
    const unsent = Atomics.load(cells, S.UNSENT) === 1;
    if (unsent && late) {
        call('edgekitFlush');
    }
    late = unsent;
    sinceLookMs += LATE_MS;
    if (sinceLookMs >= WATCH_MS) {
        sinceLookMs = 0;
        if (Atomics.load(cells, S.WATCH) === 1) {
            call('edgekitPoll');
        }
    }
}, LATE_MS);
