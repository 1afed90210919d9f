// Many frames of sound to MFCC, for training on a computer: the arithmetic of mfcc.c on four frames at once.
//
// Each value is four, one of each frame. The frames need shifts by different numbers of bits; so values are shifted left
// before a sum, each frame's by its own number, and every sum then right by the same. A complex value is two int16 in
// one int32: real part low, imaginary part high. Small arrays have constant sizes and indices, so that a compiler keeps
// them in registers: a kernel has no stack.

#include "mfcc.h"

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint32_t unsigned_lanes __attribute__((vector_size(16)));
typedef int16_t halves __attribute__((vector_size(16)));
typedef int32_t lanes_anywhere __attribute__((vector_size(16), aligned(2), may_alias));

enum { LANES = 4 };

// The largest and the smallest values so far: they tell how many bits a frame's values have.
struct range {
    halves high, low;
};

static inline struct range nothing(void)
{
    struct range range = { { 0 }, { -1, -1, -1, -1, -1, -1, -1, -1 } };
    return range;
}

static inline int32_t length_of(uint32_t value)
{
    return value ? 32 - __builtin_clz(value) : 0;
}

static inline lanes real(lanes z)
{
    return (z << 16) >> 16;
}

static inline lanes imaginary(lanes z)
{
    return z >> 16;
}

static inline lanes times(lanes z, lanes factor)
{
    return (lanes)((halves)z * (halves)factor);
}

// re * c + im * s, where `turn` holds c low and s high.
static inline lanes dot(lanes z, int32_t turn)
{
    lanes turns = { turn, turn, turn, turn };
    return (lanes)__builtin_wasm_dot_s_i32x4_i16x8((halves)z, (halves)turns);
}

static inline int32_t pack(int32_t low, int32_t high)
{
    return (int32_t)((uint32_t)high << 16 | ((uint32_t)low & 0xFFFF));
}

static inline lanes keep(lanes z, struct range *range)
{
    range->high = __builtin_elementwise_max(range->high, (halves)z);
    range->low = __builtin_elementwise_min(range->low, (halves)z);
    return z;
}

// From sums whose upper 16 bits are the values.
static inline lanes upper(lanes re, lanes im, struct range *range)
{
    return keep((lanes)((unsigned_lanes)re >> 16) | (im & (int32_t)0xFFFF0000), range);
}

// What each frame is multiplied by before a pass whose sums are divided by 2**most: fewer than `spare` bits need no
// division. Twice in each lane, for both parts.
static inline lanes scale(struct range range, int32_t spare, int32_t most, lanes *exponent)
{
    lanes sizes = (lanes)(range.high | ~range.low), factor;
    for (int32_t lane = 0; lane < LANES; lane++) {
        int32_t shift = length_of(((uint32_t)sizes[lane] >> 16) | ((uint32_t)sizes[lane] & 0xFFFF)) - spare;
        shift = shift > 0 ? shift : 0;
        (*exponent)[lane] += shift;
        factor[lane] = 0x10001 << (most - shift);
    }
    return factor;
}

static inline struct range windowed(const int16_t *const sound[LANES], const int16_t *window, const int16_t *places,
                                    int32_t count, int32_t half, lanes *re, lanes *im, lanes *z, lanes *exponent)
{
    lanes high = { 0 }, low = { -1, -1, -1, -1 };
    int32_t i = 0;
    for (; 2 * i + 8 <= count; i += 4) {
        // Eight samples of each frame, four pairs: rows become columns.
        lanes a = *(const lanes_anywhere *)(sound[0] + 2 * i), b = *(const lanes_anywhere *)(sound[1] + 2 * i);
        lanes c = *(const lanes_anywhere *)(sound[2] + 2 * i), d = *(const lanes_anywhere *)(sound[3] + 2 * i);
        lanes e = __builtin_shufflevector(a, b, 0, 4, 1, 5), f = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        lanes g = __builtin_shufflevector(a, b, 2, 6, 3, 7), h = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        re[i] = __builtin_shufflevector(e, f, 0, 1, 4, 5);
        re[i + 1] = __builtin_shufflevector(e, f, 2, 3, 6, 7);
        re[i + 2] = __builtin_shufflevector(g, h, 0, 1, 4, 5);
        re[i + 3] = __builtin_shufflevector(g, h, 2, 3, 6, 7);
    }
    for (; 2 * i < count; i++) {
        for (int32_t lane = 0; lane < LANES; lane++) {
            re[i][lane] = pack(sound[lane][2 * i], 2 * i + 1 < count ? sound[lane][2 * i + 1] : 0);
        }
    }
    int32_t pairs = i;
    for (i = 0; i < pairs; i++) {
        lanes pair = re[i];
        re[i] = dot(pair, window[2 * i]);
        im[i] = dot(pair, pack(0, 2 * i + 1 < count ? window[2 * i + 1] : 0));
        high = __builtin_elementwise_max(high, __builtin_elementwise_max(re[i], im[i]));
        low = __builtin_elementwise_min(low, __builtin_elementwise_min(re[i], im[i]));
    }
    lanes factor;
    for (int32_t lane = 0; lane < LANES; lane++) {
        int32_t left = 30 - length_of((uint32_t)(high[lane] | ~low[lane]));
        (*exponent)[lane] = 16 - left;
        factor[lane] = 1 << left;
    }
    struct range range = nothing();
    for (i = 0; i < pairs; i++) {
        z[places[i]] = upper(re[i] * factor + 32768, im[i] * factor + 32768, &range);
    }
    for (; i < half; i++) {
        z[places[i]] = (lanes) { 0 };
    }
    return range;
}

static inline struct range twos(lanes *z, int32_t half, lanes factor)
{
    struct range range = nothing();
    for (int32_t i = 0; i < half; i += 2) {
        lanes a = times(z[i], factor), b = times(z[i + 1], factor);
        lanes ar = real(a) + 2, ai = imaginary(a) + 2, br = real(b), bi = imaginary(b);
        z[i] = upper((ar + br) << 14, (ai + bi) << 14, &range);
        z[i + 1] = upper((ar - br) << 14, (ai - bi) << 14, &range);
    }
    return range;
}

static inline struct range fours(lanes *z, const int16_t *cosines, const int16_t *sines, int32_t half, int32_t length,
                                 lanes factor)
{
    struct range range = nothing();
    for (int32_t k = 0; k < length; k++) {
        int32_t re1 = pack(cosines[k], sines[k]), im1 = pack(-sines[k], cosines[k]);
        int32_t re2 = pack(cosines[length + k], sines[length + k]), im2 = pack(-sines[length + k], cosines[length + k]);
        int32_t re3 = pack(cosines[2 * length + k], sines[2 * length + k]);
        int32_t im3 = pack(-sines[2 * length + k], cosines[2 * length + k]);
        for (int32_t i = k; i < half; i += 4 * length) {
            lanes *y = z + i;
            lanes a = times(y[0], factor), b = times(y[length], factor);
            lanes c = times(y[2 * length], factor), d = times(y[3 * length], factor);
            lanes ar = ((a << 16) >> 3) + 32768, ai = imaginary(a) * 8192 + 32768;
            lanes br = dot(b, re1), bi = dot(b, im1), cr = dot(c, re2), ci = dot(c, im2), dr = dot(d, re3), di = dot(d, im3);
            lanes pr = ar + cr, pi = ai + ci, qr = ar - cr, qi = ai - ci;
            lanes ur = br + dr, ui = bi + di, vr = br - dr, vi = bi - di;
            y[0] = upper(pr + ur, pi + ui, &range);
            y[length] = upper(qr + vi, qi - vr, &range);
            y[2 * length] = upper(pr - ur, pi - ui, &range);
            y[3 * length] = upper(qr - vi, qi + vr, &range);
        }
    }
    return range;
}

// From the spectrum of the pairs to the power of the sound's, in place: no longer two int16, but one int32.
static inline void take_apart(lanes *z, const int16_t *cosines, const int16_t *sines, int32_t half, lanes factor)
{
    for (int32_t k = 1; k <= half / 2; k++) {
        lanes a = times(z[k], factor), b = times(z[half - k], factor);
        lanes r = real(a), m = imaginary(a), u = real(b), v = imaginary(b);
        lanes even_re = (r + u) * 8192 + 32768, even_im = (m - v) * 8192 + 32768;
        lanes x = r - u, y = m + v;
        int32_t c = cosines[k], s = sines[k];
        lanes turned_re = y * c - x * s, turned_im = x * c + y * s;
        x = (even_re - turned_re) >> 16, y = (even_im + turned_im) >> 16;
        z[half - k] = x * x + y * y;
        x = (even_re + turned_re) >> 16, y = (even_im - turned_im) >> 16;
        z[k] = x * x + y * y;
    }
}

// log2 of high * 2**15 + low, 1.0 is 512. Not both are 0.
static inline int32_t log2_of(uint32_t high, uint32_t low, const uint16_t *logs)
{
    uint64_t sum = ((uint64_t)high << 15) + low;
    int32_t bits = 64 - __builtin_clzll(sum);
    uint32_t mantissa = bits > 16 ? (uint32_t)(sum >> (bits - 16)) : (uint32_t)sum << (16 - bits);
    int32_t i = (mantissa >> 9) & 63, rest = mantissa & 511;
    int32_t value = logs[i] + (((logs[i + 1] - logs[i]) * rest) >> 9);
    return (bits - 1) * 512 + ((value + 32) >> 6);
}

static inline void frames(const int32_t *header, const int16_t *const sound[LANES], lanes *re, lanes *im, lanes *z,
                          lanes *features)
{
    int32_t half = header[FFT] / 2, bands = header[BANDS], coefficients = header[COEFFICIENTS];
    const int32_t *biases = header + HEADER;
    const int16_t *window = (const int16_t *)(biases + coefficients);
    const int16_t *cosines = window + header[WINDOW], *sines = cosines + header[TURNS];
    const int16_t *places = sines + header[TURNS], *firsts = places + half, *counts = firsts + bands;
    const uint16_t *offsets = (const uint16_t *)(counts + bands), *logs = offsets + bands;
    const int16_t *weights = (const int16_t *)(logs + 65), *dct = weights + header[WEIGHTS];

    lanes exponent;
    struct range range = windowed(sound, window, places, header[WINDOW], half, re, im, z, &exponent);
    int32_t length = 1;
    if ((length_of((uint32_t)half) & 1) == 0) {
        range = twos(z, half, scale(range, 13, 2, &exponent));
        length = 2;
    }
    for (; length < half; cosines += 3 * length, sines += 3 * length, length *= 4) {
        range = fours(z, cosines, sines, half, length, scale(range, 12, 3, &exponent));
    }
    take_apart(z, cosines, sines, half, scale(range, 12, 3, &exponent));

    lanes *log_mel = im;
    for (int32_t band = 0; band < bands; band++) {
        const unsigned_lanes *power = (const unsigned_lanes *)z + firsts[band];
        unsigned_lanes high = { 0 }, low = { 0 };
        for (int32_t i = 0; i < counts[band]; i++) {
            uint32_t weight = (uint32_t)*weights++;
            high += (power[i] >> 15) * weight;
            low += (power[i] & 32767) * weight;
        }
        lanes value = { 0 };
        for (int32_t lane = 0; lane < LANES; lane++) {
            if (high[lane] | low[lane]) {
                int32_t above = log2_of(high[lane], low[lane], logs) + exponent[lane] * 1024 - offsets[band];
                value[lane] = above > 0 ? above : 0;
            }
        }
        log_mel[band] = value;
    }

    for (int32_t k = 0; k < coefficients; k++) {
        lanes total = { 0 };
        total += biases[k];
        for (int32_t band = 0; band < bands; band++) {
            total += log_mel[band] * *dct++;
        }
        features[k] = total >> header[DCT_SHIFT];
    }
}

enum { FRAMES };
enum { TABLES, SOUND, STARTS, RE, IM, Z, ROWS, FEATURES };

// Frame i begins at sample STARTS[i]. RE, IM, Z and ROWS are scratch for four frames.
KERNEL(batch)
{
    const int32_t *header = a[TABLES], *starts = a[STARTS], *rows = a[ROWS];
    const int16_t *sound = a[SOUND];
    int8_t *features = a[FEATURES];
    int32_t coefficients = header[COEFFICIENTS];
    for (int32_t first = 0; first < p[FRAMES]; first += LANES) {
        const int16_t *four[LANES];
        int32_t count = p[FRAMES] - first < LANES ? p[FRAMES] - first : LANES;
        for (int32_t lane = 0; lane < LANES; lane++) {
            four[lane] = sound + starts[first + (lane < count ? lane : 0)];
        }
        frames(header, four, a[RE], a[IM], a[Z], a[ROWS]);
        for (int32_t lane = 0; lane < count; lane++) {
            for (int32_t k = 0; k < coefficients; k++) {
                *features++ = (int8_t)clamp(rows[k * LANES + lane], -128, 127);
            }
        }
    }
}
