// Classical models: the same answers as firmware/lib/classic, the definition, which explains each step.
//
// One call runs a whole chain of steps. Every step has its own numbers and buffers, in the order of its enums.

#include "kernel.h"

#ifdef __wasm__
typedef double real;  // as MicroPython's floats there
#else
typedef float real;
#endif

enum { FINISH, TREES };

typedef union {
    float number;
    int32_t bits;
} float_bits;

// exp(x): x = n * log(2) + r, a Taylor series for r (error below 3e-16), and n into the exponent.
static inline real exponential(real x)
{
    x = x < -700 ? -700 : x > 700 ? 700 : x;
    real scaled = x * 1.4426950408889634;
    int32_t n = (int32_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    real r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
    real sum = 1;
    for (int32_t i = 13; i > 0; i--) {
        sum = 1 + r * sum / i;
    }
    union {
        double number;
        int64_t bits;
    } power = { .bits = (int64_t)(n + 1023) << 52 };
    return sum * (real)power.number;
}

// --- trees ------------------------------------------------------------------------------------------------------

enum { VOTES, COUNTS, ROWS, VALUES };
enum { MISSING = 1, UPPER_ONLY = 2 };
enum { T_OUTPUTS, T_LEAVES, T_FLAGS, T_ROOTS, T_FEATURE_BYTES, T_CHILD_BYTES, T_LOWER, T_TABLE_BYTES };
enum { T_X, T_ROOT, T_FEATURE, T_UPPER, T_LOWER_HALF, T_LEFT, T_RIGHT, T_TABLE, T_BASE, T_MISSING, T_OUTPUT };

static inline int32_t child(const void *children, int32_t bytes, int32_t i)
{
    return bytes == 2 ? ((const int16_t *)children)[i] : ((const int32_t *)children)[i];
}

static inline int32_t leaf_of(const int32_t *p, void *const *a, int32_t i, int32_t feature_bytes, int32_t child_bytes)
{
    const float_bits *x = a[T_X];
    const int16_t *upper = a[T_UPPER];
    const uint16_t *lower = a[T_LOWER_HALF];
    const uint8_t *missing = a[T_MISSING];
    int32_t other = p[T_FLAGS] & UPPER_ONLY ? 0xFFFF : 0;
    while (i >= 0) {
        int32_t feature = feature_bytes == 1 ? ((const uint8_t *)a[T_FEATURE])[i] : ((const uint16_t *)a[T_FEATURE])[i];
        int32_t key = x[feature >> 1].bits;
        int32_t goes_left;
        if ((p[T_FLAGS] & MISSING) && (key & 0x7FFFFFFF) > 0x7F800000) {
            goes_left = missing[i >> 3] >> (i & 7) & 1;
        } else {
            key = key < 0 ? key ^ 0x7FFFFFFF : key;
            int32_t threshold = (int32_t)((uint32_t)upper[i] << 16) | (p[T_LOWER] ? lower[i] : other);
            goes_left = key <= threshold;
        }
        i = child(goes_left ? a[T_LEFT] : a[T_RIGHT], child_bytes, i);
    }
    return -1 - i;
}

static inline real entry(const void *table, int32_t leaves, int32_t bytes, int32_t i)
{
    if (leaves == COUNTS) {
        return bytes == 1 ? ((const uint8_t *)table)[i] : ((const uint16_t *)table)[i];
    }
    return bytes == 4 ? (real)((const float *)table)[i] : ((const real *)table)[i];
}

static inline void trees(const int32_t *p, void *const *a)
{
    int32_t outputs = p[T_OUTPUTS], leaves = p[T_LEAVES], bytes = p[T_TABLE_BYTES], output = 0;
    const real *base = a[T_BASE];
    const void *table = a[T_TABLE];
    uint16_t *votes = a[T_OUTPUT];
    real *y = a[T_OUTPUT];
    for (int32_t k = 0; k < outputs; k++) {
        if (leaves == VOTES) {
            votes[k] = 0;
        } else {
            y[k] = base[k];
        }
    }
    for (int32_t tree = 0; tree < p[T_ROOTS]; tree++) {
        int32_t root = child(a[T_ROOT], p[T_CHILD_BYTES], tree);
        int32_t row = p[T_FEATURE_BYTES] == 1 && p[T_CHILD_BYTES] == 2
                      ? leaf_of(p, a, root, 1, 2) : leaf_of(p, a, root, p[T_FEATURE_BYTES], p[T_CHILD_BYTES]);
        if (leaves == VOTES) {
            votes[row]++;
        } else if (leaves == VALUES) {
            y[output] += entry(table, leaves, bytes, row);
            output = output + 1 < outputs ? output + 1 : 0;
        } else {
            real total = leaves == ROWS;
            for (int32_t k = 0; leaves == COUNTS && k < outputs; k++) {
                total += entry(table, leaves, bytes, row * outputs + k);
            }
            for (int32_t k = 0; k < outputs; k++) {
                y[k] += entry(table, leaves, bytes, row * outputs + k) / total;
            }
        }
    }
}

// --- the last step ----------------------------------------------------------------------------------------------

enum { VALUE, EXP, SHARES, LARGEST, SOFTMAX, SIGN, SIGMOID };
enum { F_WANTED, F_HOW, F_CLASSES, F_DIVISOR, F_INCLUSIVE, F_FACTOR };
enum { F_SCORES, F_OUTPUT, F_RESULT, F_VOTES };

static inline void finish(const int32_t *p, void *const *a)
{
    real *scores = a[F_SCORES];
    const uint16_t *votes = a[F_SCORES];
    float *output = a[F_OUTPUT];
    int32_t *result = a[F_RESULT];
    int32_t how = p[F_HOW], classes = p[F_CLASSES], counted = *(const int32_t *)a[F_VOTES], best = 0;
    if (how == VALUE) {
        output[0] = (float)(scores[0] / p[F_DIVISOR]);
        return;
    }
    if (how == EXP) {
        output[0] = (float)exponential(scores[0]);
        return;
    }
    for (int32_t k = 0; how == SHARES && !counted && k < classes; k++) {
        scores[k] /= p[F_DIVISOR];
    }
    if (how >= SIGN) {
        *result = scores[0] > 0 || (p[F_INCLUSIVE] && scores[0] >= 0);
    } else {
        for (int32_t k = 1; k < classes; k++) {
            if (counted ? votes[k] > votes[best] : scores[k] > scores[best]) {
                best = k;
            }
        }
        *result = best;
    }
    if (!p[F_WANTED]) {
        return;
    }
    if (how == SHARES) {
        for (int32_t k = 0; k < classes; k++) {
            output[k] = counted ? (float)votes[k] / p[F_DIVISOR] : (float)scores[k];
        }
    } else if (how == SOFTMAX) {
        real total = 0;
        for (int32_t k = 0; k < classes; k++) {
            total += exponential(scores[k] - scores[best]);
        }
        for (int32_t k = 0; k < classes; k++) {
            output[k] = (float)(exponential(scores[k] - scores[best]) / total);
        }
    } else if (how == SIGMOID) {
        real score = p[F_FACTOR] * scores[0];
        real odds = exponential(score > 0 ? -score : score);
        real less = odds / (1 + odds), more = 1 / (1 + odds);
        output[1] = (float)(score > 0 ? more : less);
        output[0] = (float)(score > 0 ? less : more);
    }
}

// --- the chain --------------------------------------------------------------------------------------------------

// p: number of steps; kind and number of buffers of each. a: numbers and buffers of each.
KERNEL(run)
{
    for (int32_t step = 0; step < p[0]; step++) {
        int32_t kind = p[1 + 2 * step];
        const int32_t *numbers = a[0];
        if (kind == TREES) {
            trees(numbers, a + 1);
        } else if (kind == FINISH) {
            finish(numbers, a + 1);
        }
        a += 1 + p[2 + 2 * step];
    }
}
