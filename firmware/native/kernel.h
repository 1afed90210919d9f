// What every kernel in C shares.
//
// One source for every machine: WebAssembly for the computer and the simulated board, machine code for real boards.
// So a kernel calls nothing, has no globals and no constant data, and allocates nothing. It gets its numbers `p` and
// the addresses `a` of its buffers.

#include <stdint.h>

#ifdef __wasm__
#define KERNEL(name) __attribute__((export_name(#name))) void name(const int32_t *p, void *const *a)
#else
#define KERNEL(name) void name(const int32_t *p, void *const *a)
#endif

static inline int32_t clamp(int32_t value, int32_t lowest, int32_t highest)
{
    return value < lowest ? lowest : value > highest ? highest : value;
}
