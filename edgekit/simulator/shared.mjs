// What the engine's three threads share: the layout of their memory, and the frames on stdin and stdout.
//
// A frame is its type (1 byte), the length of its payload (u32, little endian) and the payload.
//   host -> board: 'U' bytes for the UART, 'A' the answer to a bus request, 'C' settings (JSON):
//     {"clock": "real"}, {"flash_bytes": 4096}, {"reset": "brown-out"}
//   board -> host: 'U' bytes from the UART, 'B' a bus request, 'N' a note of the time (no answer)

export const UART = 0x55, ANSWER = 0x41, BUS = 0x42, NOTE = 0x4e, CONTROL = 0x43;
export const FRAME_HEAD = 5;

// Int32 cells.
export const
    RING_HEAD = 0,   // bytes ever put into the UART ring
    RING_TAIL = 1,   // bytes ever taken out
    ANSWERS = 2,     // answers ever received
    ANSWER_SIZE = 3,
    RUNNING = 4,     // 1 while a program runs: then ctrl-C interrupts instead of being input
    INTERRUPT = 5,   // 1 after ctrl-C until the program got it
    UNSENT = 6,      // 1 while printed bytes wait in the main thread
    WAKE = 7,        // changes whenever something arrives: the main thread waits on it
    CONTROLS = 8,    // 1 while settings wait
    BROWN_OUT = 9,   // 1 when the supply voltage breaks down
    WATCH = 10,      // 1 while a program that only computes must look at its watchdog
    CELLS = 12;

export const RING_SIZE = 1 << 20;
export const ANSWER_MAX = 1 << 17;

export function views(memory) {
    return {
        cells: new Int32Array(memory.cells),
        ring: new Uint8Array(memory.ring),
        answer: new Uint8Array(memory.answer),
    };
}

export function allocate() {
    return {
        cells: new SharedArrayBuffer(4 * CELLS),
        ring: new SharedArrayBuffer(RING_SIZE),
        answer: new SharedArrayBuffer(ANSWER_MAX),
    };
}
