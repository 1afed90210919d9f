// Thread "watcher": sends what a program printed before it went on to compute, and sees to it that the
// process ends when its parent has gone but another process still holds the pipe.

import inspector from 'node:inspector';
import { workerData } from 'node:worker_threads';
import * as S from './shared.mjs';

const LATE_MS = 15;
const { cells } = S.views(workerData);
const parent = process.ppid;
let session = null;
let late = false;

setInterval(() => {
    if (process.ppid !== parent) {
        process.kill(process.pid, 'SIGKILL');
    }
    const unsent = Atomics.load(cells, S.UNSENT) === 1;
    if (unsent && late) {
        if (session === null) {
            session = new inspector.Session();
            session.connectToMainThread();
        }
        session.post('Runtime.evaluate', { expression: 'edgekitFlush()' });
    }
    late = unsent;
}, LATE_MS);
