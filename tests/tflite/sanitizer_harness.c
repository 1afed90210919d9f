// Runs recorded calls of the kernels, each buffer in memory of exactly its size, so that AddressSanitizer sees one
// byte too many. Input: for each call the kernel's name (32 bytes), the count of numbers and the numbers, the count of
// buffers, and for each its size and bytes. Output: for each call all bytes of all buffers.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../firmware/native/tflite.c"

#define NAME(kernel) {#kernel, kernel},
static const struct { const char *name; void (*run)(const int32_t *, void *const *); } KERNELS[] = { ALL_KERNELS };

static void get(void *to, size_t size)
{
    if (size && fread(to, 1, size, stdin) != size) {
        exit(2);
    }
}

int main(void)
{
    char name[32];
    while (fread(name, 1, sizeof name, stdin) == sizeof name) {
        uint32_t count, size, sizes[64];
        void *buffers[64];
        get(&count, 4);
        int32_t *numbers = malloc(4 * count);
        get(numbers, 4 * count);
        get(&count, 4);
        for (uint32_t i = 0; i < count; i++) {
            get(&size, 4);
            sizes[i] = size;
            buffers[i] = size ? malloc(size) : NULL;
            get(buffers[i], size);
        }
        for (size_t i = 0; i < sizeof KERNELS / sizeof *KERNELS; i++) {
            if (strcmp(KERNELS[i].name, name) == 0) {
                KERNELS[i].run(numbers, buffers);
            }
        }
        for (uint32_t i = 0; i < count; i++) {
            if (sizes[i]) {
                fwrite(buffers[i], 1, sizes[i], stdout);
            }
            free(buffers[i]);
        }
        free(numbers);
    }
    return 0;
}
