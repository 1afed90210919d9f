// The int8 kernels in C: equal to firmware/lib/tflite_micro/kernels_reference.py, the definition, to the last bit.
//
// No floating point. The order of a kernel's numbers and buffers is that of its enums, which tflite_micro/native.py
// repeats by name (a test compares them).

#include "kernel.h"

// Where a kernel of one input and one output finds its buffers; its own come after.
enum { WEIGHTS, BIASES, X, Y, OWN };

// High half of the doubled product; a half goes up.
static inline int32_t multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

// value / 2**bits; a half goes away from zero. bits: 0 to 31.
static inline int32_t shift_right(int32_t value, int32_t bits)
{
    int32_t mask = (int32_t)((1u << bits) - 1);
    int32_t half = (mask >> 1) + (value < 0);
    return (value >> bits) + ((value & mask) > half);
}

// value * 2**bits as 32-bit hardware keeps it.
static inline int32_t shift_left(int32_t value, int32_t bits)
{
    return (int32_t)((uint32_t)value << bits);
}

// total * multiplier * 2**(shift - 31), rounded twice.
static inline int32_t rescale(int32_t total, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        return multiply(shift_left(total, shift), multiplier);
    }
    return shift_right(multiply(total, multiplier), -shift);
}

// total * (high:low) * 2**exponent as a double would have it, then rounded; a half goes away from zero. The mantissa
// has 53 bits or none. What no int8 can hold comes back as +-2**30.
static inline int32_t rescale_double(int32_t total, uint32_t low, uint32_t high, int32_t exponent)
{
    uint32_t size = total < 0 ? 0u - (uint32_t)total : (uint32_t)total;
    uint64_t lower = (uint64_t)size * low;
    uint64_t upper = (uint64_t)size * high + (lower >> 32);
    uint32_t w0 = (uint32_t)lower, w1 = (uint32_t)upper, w2 = (uint32_t)(upper >> 32);

    // Down to 53 bits: a tie goes to the even one.
    int32_t drop = 0;
    for (uint32_t rest = w2; rest; rest >>= 1) {
        drop++;
    }
    drop += 32 - 21;
    if (w2 == 0) {
        for (uint32_t bit = 0x80000000u; drop > 0 && !(w1 & bit); bit >>= 1) {
            drop--;
        }
    }
    if (drop > 0) {
        uint32_t lost = w0 & ((1u << drop) - 1), half = 1u << (drop - 1);
        w0 = w0 >> drop | w1 << (32 - drop);
        w1 = w1 >> drop | w2 << (32 - drop);
        if (lost > half || (lost == half && (w0 & 1))) {
            w0++;
            w1 += w0 == 0;
        }
        exponent += drop;
    }

    int32_t shift = -exponent, result = 1 << 30;
    if (shift > 54) {
        result = 0;
    } else if (shift > 32) {
        w1 += 1u << (shift - 33);
        result = (int32_t)(w1 >> (shift - 32));
    } else if (shift > 0) {
        uint32_t half = 1u << (shift - 1);
        w0 += half;
        w1 += w0 < half;
        uint32_t upper_part = shift == 32 ? 0 : w1 >> shift;
        uint32_t lower_part = shift == 32 ? w1 : w0 >> shift | w1 << (32 - shift);
        if (!upper_part && lower_part < 1u << 30) {
            result = (int32_t)lower_part;
        }
    } else if (!w0 && !w1) {
        result = 0;
    }
    return total < 0 ? -result : result;
}

// Sums that wrap as 32-bit hardware does.
static inline int32_t add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

// A bias where it lies in the file, which may be any address; without biases it is 0.
static inline int32_t bias_of(const void *biases, int32_t unit)
{
    if (!biases) {
        return 0;
    }
    const uint8_t *from = (const uint8_t *)biases + 4 * unit;
    return (int32_t)(from[0] | from[1] << 8 | from[2] << 16 | (uint32_t)from[3] << 24);
}

static inline int32_t dot(const int8_t *x, const int8_t *weights, int32_t count, int32_t zero_point, int32_t total)
{
    for (int32_t i = 0; i < count; i++) {
        total = add(total, (int16_t)(x[i] - zero_point) * (int16_t)weights[i]);
    }
    return total;
}

// --- dense ------------------------------------------------------------------------------------------------------

enum { FC_BATCHES, FC_DEPTH, FC_UNITS, FC_RATIOS, FC_INPUT_ZERO_POINT, FC_ZERO_POINT, FC_LOWEST, FC_HIGHEST };
enum { FC_MANTISSAS = OWN, FC_EXPONENTS };

KERNEL(fully_connected)
{
    const int8_t *x = a[X], *weights = a[WEIGHTS];
    const uint32_t *mantissas = a[FC_MANTISSAS];  // two words each, the low one first
    const int16_t *exponents = a[FC_EXPONENTS];
    int8_t *y = a[Y];
    int32_t depth = p[FC_DEPTH], units = p[FC_UNITS];
    for (int32_t batch = 0; batch < p[FC_BATCHES]; batch++, x += depth) {
        for (int32_t unit = 0; unit < units; unit++) {
            int32_t total = dot(x, weights + unit * depth, depth, p[FC_INPUT_ZERO_POINT], bias_of(a[BIASES], unit));
            int32_t i = p[FC_RATIOS] > 1 ? unit : 0;
            int32_t value = rescale_double(total, mantissas[2 * i], mantissas[2 * i + 1], exponents[i]);
            *y++ = (int8_t)clamp(value + p[FC_ZERO_POINT], p[FC_LOWEST], p[FC_HIGHEST]);
        }
    }
}

// --- sliding windows --------------------------------------------------------------------------------------------

// What every sliding window has, first in its numbers.
enum {
    BATCHES, HEIGHT, WIDTH, CHANNELS, FILTER_HEIGHT, FILTER_WIDTH, DILATION_HEIGHT, DILATION_WIDTH,
    STRIDE_HEIGHT, STRIDE_WIDTH, FIRST_TOP, END_TOP, FIRST_LEFT, END_LEFT, LOWEST, HIGHEST, POOL_NUMBERS
};
enum { UNITS = POOL_NUMBERS, INPUT_ZERO_POINT, ZERO_POINT };
enum { MULTIPLIERS = OWN, SHIFTS };

// The first tap of a filter at `place` that is not before the image.
static inline int32_t first_tap(int32_t place, int32_t dilation)
{
    int32_t tap = 0;
    for (; place < 0; place += dilation) {
        tap++;
    }
    return tap;
}

// The tap after the last one that is not behind the image.
static inline int32_t end_tap(int32_t place, int32_t dilation, int32_t taps, int32_t size)
{
    int32_t tap = 0;
    for (; tap < taps && place < size; place += dilation) {
        tap++;
    }
    return tap;
}

KERNEL(conv_2d)
{
    const int8_t *image = a[X];
    const int32_t *multipliers = a[MULTIPLIERS];
    const int8_t *shifts = a[SHIFTS];
    int8_t *y = a[Y];
    int32_t channels = p[CHANNELS], width = p[WIDTH], units = p[UNITS], down = p[DILATION_HEIGHT];
    int32_t step = p[DILATION_WIDTH] * channels, row_size = p[FILTER_WIDTH] * channels;
    int32_t size = p[FILTER_HEIGHT] * row_size, is_dilated = p[DILATION_WIDTH] > 1;
    int32_t row_step = down * width * channels, zero_point = p[INPUT_ZERO_POINT];
    for (int32_t batch = 0; batch < p[BATCHES]; batch++, image += p[HEIGHT] * width * channels) {
        for (int32_t top = p[FIRST_TOP]; top < p[END_TOP]; top += p[STRIDE_HEIGHT]) {
            int32_t first_y = first_tap(top, down), end_y = end_tap(top, down, p[FILTER_HEIGHT], p[HEIGHT]);
            for (int32_t left = p[FIRST_LEFT]; left < p[END_LEFT]; left += p[STRIDE_WIDTH]) {
                int32_t first_x = first_tap(left, p[DILATION_WIDTH]);
                int32_t taps = end_tap(left, p[DILATION_WIDTH], p[FILTER_WIDTH], width) - first_x;
                // What is covered of an image row lies in one run, or with dilation in one for each tap.
                int32_t run = is_dilated ? channels : taps * channels, runs = is_dilated ? taps : taps > 0;
                const int8_t *covered = image + ((top + first_y * down) * width + left) * channels + first_x * step;
                const int8_t *weights = (const int8_t *)a[WEIGHTS] + first_x * channels;
                for (int32_t unit = 0; unit < units; unit++, weights += size) {
                    int32_t total = bias_of(a[BIASES], unit);
                    const int8_t *row = covered, *row_weights = weights + first_y * row_size;
                    for (int32_t i = first_y; i < end_y; i++, row += row_step, row_weights += row_size) {
                        for (int32_t j = 0; j < runs; j++) {
                            total = dot(row + j * step, row_weights + j * channels, run, zero_point, total);
                        }
                    }
                    int32_t value = rescale(total, multipliers[unit], shifts[unit]) + p[ZERO_POINT];
                    *y++ = (int8_t)clamp(value, p[LOWEST], p[HIGHEST]);
                }
            }
        }
    }
}

KERNEL(depthwise_conv_2d)
{
    const int8_t *image = a[X], *weights = a[WEIGHTS];
    const int32_t *multipliers = a[MULTIPLIERS];
    const int8_t *shifts = a[SHIFTS];
    int8_t *y = a[Y];
    int32_t channels = p[CHANNELS], width = p[WIDTH], units = p[UNITS], per_channel = units / channels;
    int32_t down = p[DILATION_HEIGHT], step = p[DILATION_WIDTH] * channels, zero_point = p[INPUT_ZERO_POINT];
    int32_t row_step = down * width * channels, weight_step = p[FILTER_WIDTH] * units;
    for (int32_t batch = 0; batch < p[BATCHES]; batch++, image += p[HEIGHT] * width * channels) {
        for (int32_t top = p[FIRST_TOP]; top < p[END_TOP]; top += p[STRIDE_HEIGHT]) {
            int32_t first_y = first_tap(top, down), end_y = end_tap(top, down, p[FILTER_HEIGHT], p[HEIGHT]);
            for (int32_t left = p[FIRST_LEFT]; left < p[END_LEFT]; left += p[STRIDE_WIDTH]) {
                int32_t first_x = first_tap(left, p[DILATION_WIDTH]);
                int32_t end_x = end_tap(left, p[DILATION_WIDTH], p[FILTER_WIDTH], width), unit = 0;
                int32_t first = first_y * p[FILTER_WIDTH] + first_x;
                const int8_t *covered = image + ((top + first_y * down) * width + left) * channels + first_x * step;
                for (int32_t channel = 0; channel < channels; channel++) {
                    for (int32_t k = 0; k < per_channel; k++, unit++) {
                        int32_t total = bias_of(a[BIASES], unit);
                        const int8_t *row = covered + channel, *row_weights = weights + first * units + unit;
                        for (int32_t i = first_y; i < end_y; i++, row += row_step, row_weights += weight_step) {
                            const int8_t *from = row, *weight = row_weights;
                            for (int32_t j = first_x; j < end_x; j++, from += step, weight += units) {
                                total = add(total, (*from - zero_point) * *weight);
                            }
                        }
                        int32_t value = rescale(total, multipliers[unit], shifts[unit]) + p[ZERO_POINT];
                        *y++ = (int8_t)clamp(value, p[LOWEST], p[HIGHEST]);
                    }
                }
            }
        }
    }
}

enum {
    T_BATCHES, T_HEIGHT, T_WIDTH, T_CHANNELS, T_FILTER_HEIGHT, T_FILTER_WIDTH, T_STRIDE_HEIGHT, T_STRIDE_WIDTH,
    T_PAD_TOP, T_PAD_LEFT, T_OUT_HEIGHT, T_OUT_WIDTH, T_UNITS, T_INPUT_ZERO_POINT, T_ZERO_POINT, T_LOWEST, T_HIGHEST
};

// The place of the input that reaches `place` of the output through a filter's tap; -1: none does.
static inline int32_t place_before(int32_t place, int32_t stride, int32_t size)
{
    if (place < 0 || place % stride) {
        return -1;
    }
    place /= stride;
    return place < size ? place : -1;
}

KERNEL(transpose_conv)
{
    const int8_t *image = a[X];
    const int32_t *multipliers = a[MULTIPLIERS];
    const int8_t *shifts = a[SHIFTS];
    int8_t *y = a[Y];
    int32_t channels = p[T_CHANNELS], height = p[T_HEIGHT], width = p[T_WIDTH];
    for (int32_t batch = 0; batch < p[T_BATCHES]; batch++, image += height * width * channels) {
        for (int32_t row = 0; row < p[T_OUT_HEIGHT]; row++) {
            for (int32_t column = 0; column < p[T_OUT_WIDTH]; column++) {
                const int8_t *weights = a[WEIGHTS];
                for (int32_t unit = 0; unit < p[T_UNITS]; unit++) {
                    int32_t total = bias_of(a[BIASES], unit);
                    for (int32_t i = 0; i < p[T_FILTER_HEIGHT]; i++) {
                        int32_t from_row = place_before(row + p[T_PAD_TOP] - i, p[T_STRIDE_HEIGHT], height);
                        for (int32_t j = 0; j < p[T_FILTER_WIDTH]; j++, weights += channels) {
                            int32_t from_column = place_before(column + p[T_PAD_LEFT] - j, p[T_STRIDE_WIDTH], width);
                            if (from_row >= 0 && from_column >= 0) {
                                total = dot(image + (from_row * width + from_column) * channels, weights, channels,
                                            p[T_INPUT_ZERO_POINT], total);
                            }
                        }
                    }
                    int32_t value = rescale(total, multipliers[unit], shifts[unit]) + p[T_ZERO_POINT];
                    *y++ = (int8_t)clamp(value, p[T_LOWEST], p[T_HIGHEST]);
                }
            }
        }
    }
}

static inline int32_t at_least(int32_t value, int32_t least)
{
    return value < least ? least : value;
}

static inline int32_t at_most(int32_t value, int32_t most)
{
    return value > most ? most : value;
}

// The mean of `count` values with this sum; a half goes away from zero.
static inline int32_t rounded_mean(int32_t total, int32_t count)
{
    return total > 0 ? (total + count / 2) / count : -((count / 2 - total) / count);
}

static inline void pool(const int32_t *p, void *const *a, int32_t is_average)
{
    const int8_t *image = a[X];
    int8_t *y = a[Y];
    int32_t channels = p[CHANNELS], width = p[WIDTH];
    for (int32_t batch = 0; batch < p[BATCHES]; batch++, image += p[HEIGHT] * width * channels) {
        for (int32_t top = p[FIRST_TOP]; top < p[END_TOP]; top += p[STRIDE_HEIGHT]) {
            int32_t first_row = at_least(top, 0), end_row = at_most(top + p[FILTER_HEIGHT], p[HEIGHT]);
            for (int32_t left = p[FIRST_LEFT]; left < p[END_LEFT]; left += p[STRIDE_WIDTH]) {
                int32_t first_column = at_least(left, 0), end_column = at_most(left + p[FILTER_WIDTH], width);
                int32_t count = (end_row - first_row) * (end_column - first_column);
                for (int32_t channel = 0; channel < channels; channel++) {
                    int32_t total = 0, most = p[LOWEST];
                    for (int32_t row = first_row; row < end_row; row++) {
                        const int8_t *from = image + row * width * channels + channel;
                        for (int32_t column = first_column; column < end_column; column++) {
                            int32_t value = from[column * channels];
                            total += value;
                            most = at_least(most, value);
                        }
                    }
                    int32_t value = is_average ? rounded_mean(total, count) : most;
                    *y++ = (int8_t)clamp(value, p[LOWEST], p[HIGHEST]);
                }
            }
        }
    }
}

KERNEL(max_pool_2d)
{
    pool(p, a, 0);
}

KERNEL(average_pool_2d)
{
    pool(p, a, 1);
}

// --- the others -------------------------------------------------------------------------------------------------

enum { MEAN_OUTPUTS, MEAN_COUNT, MEAN_BIAS, MEAN_MULTIPLIER, MEAN_SHIFT, MEAN_ZERO_POINT };
enum { MEAN_STARTS = OWN, MEAN_STEPS };

KERNEL(mean)
{
    const int8_t *x = a[X];
    const int32_t *starts = a[MEAN_STARTS], *steps = a[MEAN_STEPS];
    int8_t *y = a[Y];
    for (int32_t i = 0; i < p[MEAN_OUTPUTS]; i++) {
        int32_t total = p[MEAN_BIAS];
        for (int32_t j = 0; j < p[MEAN_COUNT]; j++) {
            total += x[starts[i] + steps[j]];
        }
        int32_t value = rescale(total, p[MEAN_MULTIPLIER], p[MEAN_SHIFT]) + p[MEAN_ZERO_POINT];
        y[i] = (int8_t)clamp(value, -128, 127);
    }
}

// Boxes of values, each with its own steps in the source and in the target: see moving.py.
enum { MOVE_INPUTS, MOVE_OUTPUTS, MOVE_ITEM_BYTES, MOVE_COUNT, MOVE_FILLS, MOVE_FILL_BITS, MOVE_SIZE };
enum { DIMENSIONS = 6, MOVE_PIECE = 4 + 3 * DIMENSIONS };

KERNEL(move)
{
    void *const *sources = a + X, *const *targets = sources + p[MOVE_INPUTS];
    const int32_t *piece = targets[p[MOVE_OUTPUTS]];
    int32_t is_byte = p[MOVE_ITEM_BYTES] == 1;
    if (p[MOVE_FILLS]) {
        for (int32_t i = 0; i < p[MOVE_SIZE]; i++) {
            if (is_byte) {
                ((int8_t *)targets[0])[i] = (int8_t)p[MOVE_FILL_BITS];
            } else {
                ((int32_t *)targets[0])[i] = p[MOVE_FILL_BITS];
            }
        }
    }
    for (int32_t i = 0; i < p[MOVE_COUNT]; i++, piece += MOVE_PIECE) {
        const int32_t *n = piece + 4, *from = n + DIMENSIONS, *to = from + DIMENSIONS;
        const int8_t *x = sources[piece[0]];
        int8_t *y = targets[piece[1]];
        for (int32_t i0 = 0, x0 = piece[2], y0 = piece[3]; i0 < n[0]; i0++, x0 += from[0], y0 += to[0]) {
        for (int32_t i1 = 0, x1 = x0, y1 = y0; i1 < n[1]; i1++, x1 += from[1], y1 += to[1]) {
        for (int32_t i2 = 0, x2 = x1, y2 = y1; i2 < n[2]; i2++, x2 += from[2], y2 += to[2]) {
        for (int32_t i3 = 0, x3 = x2, y3 = y2; i3 < n[3]; i3++, x3 += from[3], y3 += to[3]) {
        for (int32_t i4 = 0, x4 = x3, y4 = y3; i4 < n[4]; i4++, x4 += from[4], y4 += to[4]) {
            for (int32_t i5 = 0, x5 = x4, y5 = y4; i5 < n[5]; i5++, x5 += from[5], y5 += to[5]) {
                if (is_byte) {
                    y[y5] = x[x5];
                } else {
                    ((int32_t *)y)[y5] = ((const int32_t *)x)[x5];
                }
            }
        }}}}}
    }
}

enum { LOOKUP_SIZE };
enum { LOOKUP_TABLE = OWN };

KERNEL(lookup)
{
    const int8_t *x = a[X], *table = a[LOOKUP_TABLE];
    int8_t *y = a[Y];
    for (int32_t i = 0; i < p[LOOKUP_SIZE]; i++) {
        y[i] = table[x[i] + 128];
    }
}

// Two tensors into one: see elementwise.py.
enum {
    BINARY_KIND, BINARY_LOWEST, BINARY_HIGHEST, ZERO_POINT_A, ZERO_POINT_B, BINARY_ZERO_POINT, BITS, MULTIPLIER_A,
    SHIFT_A, MULTIPLIER_B, SHIFT_B, MULTIPLIER, SHIFT
};
enum { BINARY_A = X, BINARY_B, BINARY_Y, BINARY_STEPS };
enum { ADD, SUB, MUL, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE };

static inline int32_t combine(const int32_t *p, int32_t kind, int32_t a, int32_t b)
{
    if (kind == MAXIMUM) {
        return at_least(a, b);
    }
    if (kind == MINIMUM) {
        return at_most(a, b);
    }
    a -= p[ZERO_POINT_A];
    b -= p[ZERO_POINT_B];
    int32_t total = a * b;
    if (kind != MUL) {
        a = rescale(shift_left(a, p[BITS]), p[MULTIPLIER_A], p[SHIFT_A]);
        b = rescale(shift_left(b, p[BITS]), p[MULTIPLIER_B], p[SHIFT_B]);
        total = kind == ADD ? a + b : a - b;
        if (kind == SQUARED_DIFFERENCE) {
            total *= total;
        }
    }
    return rescale(total, p[MULTIPLIER], p[SHIFT]) + p[BINARY_ZERO_POINT];
}

KERNEL(binary)
{
    const int8_t *x = a[BINARY_A], *z = a[BINARY_B];
    int8_t *y = a[BINARY_Y];
    const int32_t *n = a[BINARY_STEPS], *s = n + DIMENSIONS, *t = s + DIMENSIONS, *u = t + DIMENSIONS;
    for (int32_t i0 = 0, x0 = 0, z0 = 0, y0 = 0; i0 < n[0]; i0++, x0 += s[0], z0 += t[0], y0 += u[0]) {
    for (int32_t i1 = 0, x1 = x0, z1 = z0, y1 = y0; i1 < n[1]; i1++, x1 += s[1], z1 += t[1], y1 += u[1]) {
    for (int32_t i2 = 0, x2 = x1, z2 = z1, y2 = y1; i2 < n[2]; i2++, x2 += s[2], z2 += t[2], y2 += u[2]) {
    for (int32_t i3 = 0, x3 = x2, z3 = z2, y3 = y2; i3 < n[3]; i3++, x3 += s[3], z3 += t[3], y3 += u[3]) {
    for (int32_t i4 = 0, x4 = x3, z4 = z3, y4 = y3; i4 < n[4]; i4++, x4 += s[4], z4 += t[4], y4 += u[4]) {
        for (int32_t i5 = 0, x5 = x4, z5 = z4, y5 = y4; i5 < n[5]; i5++, x5 += s[5], z5 += t[5], y5 += u[5]) {
            int32_t value = combine(p, p[BINARY_KIND], x[x5], z[z5]);
            y[y5] = (int8_t)clamp(value, p[BINARY_LOWEST], p[BINARY_HIGHEST]);
        }
    }}}}}
}

enum { REDUCE_OUTPUTS, REDUCE_COUNT };
enum { REDUCE_STARTS = OWN, REDUCE_STEPS };

KERNEL(reduce_max)
{
    const int8_t *x = a[X];
    const int32_t *starts = a[REDUCE_STARTS], *steps = a[REDUCE_STEPS];
    int8_t *y = a[Y];
    for (int32_t i = 0; i < p[REDUCE_OUTPUTS]; i++) {
        int32_t most = -128;
        for (int32_t j = 0; j < p[REDUCE_COUNT]; j++) {
            most = at_least(most, x[starts[i] + steps[j]]);
        }
        y[i] = (int8_t)most;
    }
}

// Float32 arithmetic in integers, as float32.py defines it: a mantissa of 24 bits (0: the number is 0), an exponent.
typedef struct { int32_t mantissa, exponent; } real;

static inline uint32_t size_of(int32_t value)
{
    return value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
}

// size * 2**exponent with 24 bits; `size` has at most 31, a tie goes to the even one.
static inline real rounded(uint32_t size, int32_t exponent)
{
    while (size && size < 1u << 23) {
        size <<= 1;
        exponent--;
    }
    int32_t drop = 0;
    while (size >> drop >= 1u << 24) {
        drop++;
    }
    if (drop) {
        uint32_t rest = size & ((1u << drop) - 1), half = 1u << (drop - 1);
        size >>= drop;
        size += rest > half || (rest == half && (size & 1));
        exponent += drop;
    }
    return (real){(int32_t)size, exponent};
}

// Both mantissas have 24 bits, so the product has 47 or 48; its lowest 17 count only as nothing or something.
static inline real product(real a, real b)
{
    uint64_t whole = (uint64_t)(uint32_t)a.mantissa * (uint32_t)b.mantissa;
    uint32_t upper = (uint32_t)(whole >> 17) | (((uint32_t)whole & 0x1FFFF) != 0);
    return rounded(upper, a.exponent + b.exponent + 17);
}

// a + b, both given by size and sign; the sign of the sum goes to `*negative`.
static inline real sum_of(real a, int32_t a_negative, real b, int32_t b_negative, int32_t *negative)
{
    if (!b.mantissa || (a.mantissa && (a.exponent > b.exponent
                                       || (a.exponent == b.exponent && a.mantissa >= b.mantissa)))) {
        real larger = a;
        a = b;
        b = larger;
        int32_t larger_negative = a_negative;
        a_negative = b_negative;
        b_negative = larger_negative;
    }
    // b is the larger: six more bits for both, and what falls off the smaller one counts as nothing or something.
    int32_t down = b.exponent - a.exponent;
    uint32_t small = (uint32_t)a.mantissa << 6, large = (uint32_t)b.mantissa << 6;
    if (down > 30 || !small) {
        small = small != 0;
    } else {
        small = small >> down | ((small & ((1u << down) - 1)) != 0);
    }
    *negative = b_negative;
    return rounded(a_negative == b_negative ? large + small : large - small, b.exponent - 6);
}

enum {
    SUM_OUTPUTS, SUM_COUNT, SUM_RATIO_MANTISSA, SUM_RATIO_EXPONENT, SUM_BIAS_MANTISSA, SUM_BIAS_EXPONENT, SUM_ZERO_POINT
};
enum { SUM_STARTS = OWN, SUM_STEPS };

KERNEL(total)
{
    const int8_t *x = a[X];
    const int32_t *starts = a[SUM_STARTS], *steps = a[SUM_STEPS];
    int8_t *y = a[Y];
    real ratio = {p[SUM_RATIO_MANTISSA], p[SUM_RATIO_EXPONENT]};
    int32_t bias_negative = p[SUM_BIAS_MANTISSA] < 0;
    real bias = rounded(size_of(p[SUM_BIAS_MANTISSA]), p[SUM_BIAS_EXPONENT]);
    for (int32_t i = 0; i < p[SUM_OUTPUTS]; i++) {
        int32_t total = 0, negative;
        for (int32_t j = 0; j < p[SUM_COUNT]; j++) {
            total += x[starts[i] + steps[j]];
        }
        real scaled = rounded(size_of(total), 0);
        if (total) {
            scaled = product(scaled, ratio);
        }
        real result = sum_of(scaled, total < 0, bias, bias_negative, &negative);
        int32_t right = -result.exponent, value = result.mantissa;
        if (right > 25) {
            value = 0;
        } else if (right > 0) {
            value = (value + (1 << (right - 1))) >> right;
        } else if (value) {
            value = 1 << 24;  // no int8
        }
        y[i] = (int8_t)clamp((negative ? -value : value) + p[SUM_ZERO_POINT], -128, 127);
    }
}

enum { ARG_OUTPUTS, ARG_COUNT, ARG_STEP, ARG_WIDE };
enum { ARG_STARTS = OWN };

KERNEL(arg_max)
{
    const int32_t *starts = a[ARG_STARTS];
    for (int32_t i = 0; i < p[ARG_OUTPUTS]; i++) {
        const int8_t *x = (const int8_t *)a[X] + starts[i];
        int32_t best = 0;
        for (int32_t j = 1; j < p[ARG_COUNT]; j++) {
            if (x[j * p[ARG_STEP]] > x[best * p[ARG_STEP]]) {
                best = j;
            }
        }
        if (p[ARG_WIDE]) {
            ((int64_t *)a[Y])[i] = best;
        } else {
            ((int32_t *)a[Y])[i] = best;
        }
    }
}

enum { RESIZE_BATCHES, RESIZE_HEIGHT, RESIZE_WIDTH, RESIZE_CHANNELS, OUT_HEIGHT, OUT_WIDTH, RESIZE_ITEM_BYTES };
enum { ROWS = OWN, COLUMNS };

KERNEL(resize)
{
    const int8_t *image = a[X];
    const int32_t *rows = a[ROWS], *columns = a[COLUMNS];
    int8_t *y = a[Y];
    int32_t width = p[RESIZE_WIDTH], bytes = p[RESIZE_CHANNELS] * p[RESIZE_ITEM_BYTES];
    for (int32_t batch = 0; batch < p[RESIZE_BATCHES]; batch++, image += p[RESIZE_HEIGHT] * width * bytes) {
        for (int32_t i = 0; i < p[OUT_HEIGHT]; i++) {
            for (int32_t j = 0; j < p[OUT_WIDTH]; j++) {
                const int8_t *from = image + (rows[i] * width + columns[j]) * bytes;
                for (int32_t k = 0; k < bytes; k++) {
                    *y++ = from[k];
                }
            }
        }
    }
}

enum { REQUANTIZE_SIZE, REQUANTIZE_INPUT_ZERO_POINT, REQUANTIZE_ZERO_POINT, REQUANTIZE_MULTIPLIER, REQUANTIZE_SHIFT };

KERNEL(requantize)
{
    const int8_t *x = a[X];
    int8_t *y = a[Y];
    for (int32_t i = 0; i < p[REQUANTIZE_SIZE]; i++) {
        int32_t value = rescale(x[i] - p[REQUANTIZE_INPUT_ZERO_POINT], p[REQUANTIZE_MULTIPLIER], p[REQUANTIZE_SHIFT]);
        y[i] = (int8_t)clamp(value + p[REQUANTIZE_ZERO_POINT], -128, 127);
    }
}

enum { SOFTMAX_SIZE, SOFTMAX_DEPTH, SOFTMAX_MULTIPLIER, SOFTMAX_SHIFT, SOFTMAX_LEAST_DIFFERENCE };

// value * 2**bits, at most what 32 bits hold.
static inline int32_t saturating_shift_left(int32_t value, int32_t bits)
{
    int32_t most = 0x7FFFFFFF >> bits;
    return value > most ? 0x7FFFFFFF : value < -most - 1 ? -0x7FFFFFFF - 1 : shift_left(value, bits);
}

// exp of a difference (<= 0) of two inputs, with 31 fractional bits; the constants are those of the definition.
static inline int32_t exponential(int32_t difference, int32_t multiplier, int32_t shift)
{
    int32_t scaled = multiply(shift_left(difference, shift), multiplier);  // 26 fractional bits
    if (scaled == 0) {
        return 0x7FFFFFFF;
    }
    int32_t quarter = 1 << 24, fraction = (scaled & (quarter - 1)) - quarter;
    int32_t x = saturating_shift_left(fraction, 5) + (1 << 28);
    int32_t x2 = multiply(x, x), x3 = multiply(x2, x), x4 = multiply(x2, x2);
    int32_t series = shift_right(multiply(shift_right(x4, 2) + x3, 715827883) + x2, 1);
    int32_t result = 1895147668 + multiply(1895147668, x + series);
    int32_t remainder = fraction - scaled;
#define FACTOR(bit, constant) if (remainder & quarter << bit) { result = multiply(result, constant); }
    FACTOR(0, 1672461947)
    FACTOR(1, 1302514674)
    FACTOR(2, 790015084)
    FACTOR(3, 290630308)
    FACTOR(4, 39332535)
    FACTOR(5, 720401)
    FACTOR(6, 242)
#undef FACTOR
    return result;
}

// 1 / (1 + a) for 0 <= a < 1, both with 31 fractional bits.
static inline int32_t reciprocal(int32_t fraction)
{
    int32_t half_denominator = (int32_t)(((uint32_t)fraction + 0x80000000u) >> 1);
    int32_t x = 1515870810 + multiply(half_denominator, -1010580540);
    for (int32_t i = 0; i < 3; i++) {
        int32_t error = (1 << 29) - multiply(half_denominator, x);
        x += saturating_shift_left(multiply(x, error), 2);
    }
    return saturating_shift_left(x, 1);
}

KERNEL(softmax)
{
    const int8_t *x = a[X];
    int8_t *y = a[Y];
    int32_t depth = p[SOFTMAX_DEPTH], multiplier = p[SOFTMAX_MULTIPLIER], shift = p[SOFTMAX_SHIFT];
    int32_t least = p[SOFTMAX_LEAST_DIFFERENCE];
    for (const int8_t *end = x + p[SOFTMAX_SIZE]; x < end; x += depth, y += depth) {
        int32_t largest = -128, total = 0, bits = 0;
        for (int32_t i = 0; i < depth; i++) {
            largest = at_least(largest, x[i]);
        }
        for (int32_t i = 0; i < depth; i++) {
            if (x[i] - largest >= least) {
                total += shift_right(exponential(x[i] - largest, multiplier, shift), 12);
            }
        }
        for (uint32_t rest = (uint32_t)total; rest; rest >>= 1) {
            bits++;
        }
        int32_t scale = reciprocal((int32_t)(((uint32_t)total << (32 - bits)) - 0x80000000u));
        int32_t right = bits - 20 + 31 - 8;
        for (int32_t i = 0; i < depth; i++) {
            int32_t difference = x[i] - largest, value = -128;
            if (difference >= least && right < 32) {
                value += shift_right(multiply(scale, exponential(difference, multiplier, shift)), right);
            }
            y[i] = (int8_t)at_most(value, 127);
        }
    }
}

// --- layers that remember: see recurrent.py ------------------------------------------------------------------------

static inline int32_t clamp_short(int32_t value)
{
    return clamp(value, -32768, 32767);
}

static inline int32_t multiply_short(int32_t a, int32_t b)
{
    return (a * b + (1 << 14)) >> 15;
}

// exp of a number up to 0 with 15 - integer_bits fractional bits; the result has 15.
static inline int32_t exponential_short(int32_t a, int32_t integer_bits)
{
    if (a == 0) {
        return 32767;
    }
    if (integer_bits > 5 && a < -(32 << (15 - integer_bits))) {
        return 0;
    }
    int32_t quarter = 1 << (13 - integer_bits), fraction = (a & (quarter - 1)) - quarter;
    int32_t x = fraction * (1 << integer_bits) + (1 << 12);
    int32_t x2 = multiply_short(x, x), x3 = multiply_short(x2, x), x4 = multiply_short(x2, x2);
    int32_t series = shift_right(multiply_short(shift_right(x4, 2) + x3, 10923) + x2, 1);
    int32_t result = clamp_short(28918 + multiply_short(28918, x + series));
    int32_t remainder = fraction - a;
#define FACTOR(bit, constant) if (remainder & quarter << bit) { result = multiply_short(result, constant); }
    FACTOR(0, 25520)
    FACTOR(1, 19875)
    FACTOR(2, 12055)
    FACTOR(3, 4435)
    FACTOR(4, 600)
    FACTOR(5, 11)
    FACTOR(6, 0)
#undef FACTOR
    return result;
}

// 2 / (1 + a) for 0 <= a < 1 with 15 fractional bits; the result has 13.
static inline int32_t reciprocal_short(int32_t a)
{
    int32_t half_denominator = (a + 32768) >> 1;
    int32_t x = 23130 + multiply_short(half_denominator, -15420);
    for (int32_t i = 0; i < 3; i++) {
        int32_t error = (1 << 13) - multiply_short(half_denominator, x);
        x += clamp_short(multiply_short(x, error) * 4);
    }
    return x;
}

static inline int32_t logistic_short(int32_t a)
{
    int32_t result = clamp_short(reciprocal_short(exponential_short(a < 0 ? a : -a, 3)) * 2);
    return a == 0 ? 1 << 14 : a > 0 ? result : 32767 - result;
}

static inline int32_t tanh_short(int32_t a, int32_t integer_bits)
{
    int32_t power = exponential_short(a < 0 ? a : -a, integer_bits + 1);
    int32_t result = clamp_short((reciprocal_short(power) - (1 << 13)) * 4);
    return a == 0 ? 0 : a > 0 ? result : -result;
}

// Far outside of int16, and small enough for one more addition.
static inline int32_t rescale_short(int32_t total, int32_t multiplier, int32_t shift)
{
    return clamp(rescale(total, multiplier, shift), -(1 << 20), 1 << 20);
}

enum {
    SVDF_BATCHES, SVDF_DEPTH, SVDF_FILTERS, SVDF_MEMORY, SVDF_RANK, SVDF_MULTIPLIER, SVDF_SHIFT, SVDF_OUT_MULTIPLIER,
    SVDF_OUT_SHIFT, SVDF_ZERO_POINT
};
enum { SVDF_X = X, SVDF_STATE, SVDF_FEATURES, SVDF_TIMES, SVDF_Y, SVDF_FILTER_BIASES, SVDF_UNIT_BIASES };

KERNEL(svdf)
{
    const int8_t *x = a[SVDF_X];
    int16_t *state = a[SVDF_STATE];
    int8_t *y = a[SVDF_Y];
    const int32_t *biases = a[SVDF_FILTER_BIASES], *unit_biases = a[SVDF_UNIT_BIASES];
    int32_t depth = p[SVDF_DEPTH], filters = p[SVDF_FILTERS], memory = p[SVDF_MEMORY], rank = p[SVDF_RANK];
    for (int32_t i = 0, end = p[SVDF_BATCHES] * filters * memory - 1; i < end; i++) {
        state[i] = state[i + 1];
    }
    for (int32_t batch = 0; batch < p[SVDF_BATCHES]; batch++, x += depth) {
        const int8_t *features = a[SVDF_FEATURES];
        const int16_t *times = a[SVDF_TIMES];
        int32_t total = 0, of_unit = 0, unit = 0;
        for (int32_t filter = 0; filter < filters; filter++, features += depth, times += memory, state += memory) {
            int32_t newest = dot(x, features, depth, 0, biases[filter]);
            state[memory - 1] = (int16_t)clamp_short(rescale_short(newest, p[SVDF_MULTIPLIER], p[SVDF_SHIFT]));
            for (int32_t i = 0; i < memory; i++) {
                total = add(total, state[i] * times[i]);
            }
            if (++of_unit == rank) {
                total = add(total, unit_biases[unit++]);
                int32_t value = rescale_short(total, p[SVDF_OUT_MULTIPLIER], p[SVDF_OUT_SHIFT]);
                *y++ = (int8_t)clamp(value + p[SVDF_ZERO_POINT], -128, 127);
                total = of_unit = 0;
            }
        }
    }
}

enum {
    LSTM_BATCHES, LSTM_STEPS, LSTM_DEPTH, LSTM_UNITS, LSTM_TIME_MAJOR, LSTM_INTEGER_BITS, LSTM_CLIP,
    LSTM_HIDDEN_MULTIPLIER, LSTM_HIDDEN_SHIFT, LSTM_ZERO_POINT
};
enum {
    LSTM_X = X, LSTM_LAST, LSTM_CELLS, LSTM_WEIGHTS, LSTM_RECURRENT = LSTM_WEIGHTS + 4, LSTM_Y = LSTM_RECURRENT + 4,
    LSTM_INPUT_BIASES, LSTM_RECURRENT_BIASES, LSTM_MULTIPLIERS, LSTM_SHIFTS
};

// The sum that a gate's function gets, with 12 fractional bits.
static inline int32_t gate_sum(const int32_t *p, void *const *a, int32_t gate, int32_t unit, const int8_t *x,
                               const int8_t *last)
{
    const int32_t *multipliers = a[LSTM_MULTIPLIERS];
    const int8_t *shifts = a[LSTM_SHIFTS];
    int32_t depth = p[LSTM_DEPTH], units = p[LSTM_UNITS], i = gate * units + unit;
    const int8_t *weights = (const int8_t *)a[LSTM_WEIGHTS + gate] + unit * depth;
    const int8_t *recurrent = (const int8_t *)a[LSTM_RECURRENT + gate] + unit * units;
    int32_t total = dot(x, weights, depth, 0, ((const int32_t *)a[LSTM_INPUT_BIASES])[i]);
    int32_t sum = clamp_short(rescale_short(total, multipliers[gate], shifts[gate]));
    total = dot(last, recurrent, units, 0, ((const int32_t *)a[LSTM_RECURRENT_BIASES])[i]);
    return clamp_short(sum + rescale_short(total, multipliers[4 + gate], shifts[4 + gate]));
}

KERNEL(lstm)
{
    int32_t depth = p[LSTM_DEPTH], units = p[LSTM_UNITS], steps = p[LSTM_STEPS], batches = p[LSTM_BATCHES];
    int32_t clip = p[LSTM_CLIP];
    for (int32_t batch = 0; batch < batches; batch++) {
        int8_t *last = (int8_t *)a[LSTM_LAST] + batch * units;
        int16_t *cells = (int16_t *)a[LSTM_CELLS] + batch * units;
        for (int32_t step = 0; step < steps; step++) {
            int32_t at = p[LSTM_TIME_MAJOR] ? step * batches + batch : batch * steps + step;
            const int8_t *x = (const int8_t *)a[LSTM_X] + at * depth;
            int8_t *y = (int8_t *)a[LSTM_Y] + at * units;
            for (int32_t unit = 0; unit < units; unit++) {
                int32_t come = logistic_short(gate_sum(p, a, 0, unit, x, last));
                int32_t keep = logistic_short(gate_sum(p, a, 1, unit, x, last));
                int32_t new = tanh_short(gate_sum(p, a, 2, unit, x, last), 3);
                int32_t go = logistic_short(gate_sum(p, a, 3, unit, x, last));
                int32_t cell = clamp_short(shift_right(keep * cells[unit], 15)
                                           + shift_right(come * new, 15 + p[LSTM_INTEGER_BITS]));
                if (clip) {
                    cell = clamp(cell, -clip, clip);
                }
                cells[unit] = (int16_t)cell;
                int32_t value = rescale_short(go * tanh_short(cell, p[LSTM_INTEGER_BITS]), p[LSTM_HIDDEN_MULTIPLIER],
                                              p[LSTM_HIDDEN_SHIFT]);
                y[unit] = (int8_t)clamp(value + p[LSTM_ZERO_POINT], -128, 127);
            }
            for (int32_t unit = 0; unit < units; unit++) {
                last[unit] = y[unit];
            }
        }
    }
}
