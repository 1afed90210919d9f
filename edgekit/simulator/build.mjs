// What is changed of MicroPython's WebAssembly build while it is loaded: its error numbers, how far its heap grows,
// and what a program can reach of JavaScript.

import fs from 'node:fs';

// Emscripten's errno numbers, and those that MicroPython has on a board.
const ERRNO = { 2: 13, 6: 11, 8: 9, 10: 16, 20: 17, 28: 22, 31: 21, 33: 24, 37: 36, 44: 2, 48: 12, 51: 28, 54: 20,
    55: 39, 59: 6, 60: 19, 63: 1, 69: 30, 70: 29, 75: 18 };

// Numbers from here on are MicroPython's already.
export const AS_IT_IS = 1000;
const board = (code) => code >= AS_IT_IS ? code - AS_IT_IS : ERRNO[code] ?? code;

// How Python looks into JavaScript's objects: through them a program would reach the computer and its files. For each,
// which argument says where to put what was found; -1: it answers yes or no.
const LOOKS = { lookup_attr: -1, has_attr: -1, js_iter_next: -1, store_attr: -1, js_subscr_store: -1, js_get_iter: 1,
    js_subscr_load: 2, js_reflect_construct: 3 };
const UNDEFINED = 0;  // the kind of value

let sealed = false;

// From here on, Python calls those functions of JavaScript that it holds already, and finds no other.
export function seal() {
    sealed = true;
}

export function unseal() {
    sealed = false;
}

// The heap grows by up to 128 MiB at a time: one number in the code. A board's does not grow: a single object larger
// than its heap must end in MemoryError. (Many small ones may: this build collects garbage only between programs.)
const GROWTH = Uint8Array.of(0x41, 0x80, 0x80, 0x80, 0xc0, 0x00);  // i32.const 128 * 1024 * 1024

function limitGrowth(binary, bytes) {
    const code = Buffer.from(binary);
    const at = code.indexOf(GROWTH);
    if (at < 0 || code.indexOf(GROWTH, at + 1) >= 0) {
        throw new Error('Error: this version of MicroPython grows its heap in another way; see build.mjs');
    }
    for (let i = 0; i < 5; i++) {
        code[at + 1 + i] = bytes >>> 7 * i & 0x7f | (i < 4 ? 0x80 : 0);
    }
    return code;
}

const instantiate = WebAssembly.instantiate;
let compiled = null;
let memory = null;  // the running MicroPython's

// The kernels in C, at work on MicroPython's own memory: functions of two addresses, by names like `mfcc.frame`.
const NATIVE = new URL('../../firmware/native/', import.meta.url);
let libraries = null;

export function nativeKernels() {
    libraries ??= fs.readdirSync(NATIVE).filter((file) => file.endsWith('.wasm'))
        .map((file) => [file.slice(0, -5), new WebAssembly.Module(fs.readFileSync(new URL(file, NATIVE)))]);
    const kernels = {};
    for (const [library, code] of libraries) {
        const { exports } = new WebAssembly.Instance(code, { env: { memory } });
        for (const [name, kernel] of Object.entries(exports)) {
            kernels[`${library}.${name}`] = kernel;
        }
    }
    return kernels;
}

// `heapBytes`: the largest single object; `module()`: the running MicroPython's.
export function prepare(heapBytes, module) {
    // What MicroPython adds for its own tables when it looks whether there is room.
    const growth = heapBytes + Math.max(2048, Math.floor(heapBytes * 13 / 512));
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
                } else if (name in LOOKS) {
                    functions[name] = (...args) => {
                        if (!sealed) {
                            return original(...args);
                        }
                        if (LOOKS[name] >= 0) {
                            module().setValue(args[LOOKS[name]], UNDEFINED, 'i32');
                        }
                        return 0;
                    };
                }
            }
        }
        compiled ??= await WebAssembly.compile(limitGrowth(binary, growth));
        const instance = await instantiate(compiled, imports);
        memory = Object.values(instance.exports).find((item) => item instanceof WebAssembly.Memory);
        return { module: compiled, instance };
    };
}
