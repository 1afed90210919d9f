// Many frames of sound to MFCC, for training on a computer: the arithmetic of mfcc.c on four frames at once.
//
// Each value is four, one of each frame. They need shifts by different numbers of bits; so values are shifted left
// before a sum, each frame's by its own number, and every sum then right by the same.

#include "kernel.h"

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint32_t unsigned_lanes __attribute__((vector_size(16)));
typedef int32_t two_samples __attribute__((aligned(2), may_alias));

enum { LANES = 4 };

// The header of the tables, as in mfcc.c.
enum {
    MAGIC, BYTES, CHECK, RATE_HZ, WINDOW, HOP, FFT, BANDS, COEFFICIENTS, LOW_HZ, HIGH_HZ, MEL_SCALE, FLOOR_DB, SHIFT,
    FIRST_SHIFT, FIRST_OFFSET, TURNS, WEIGHTS, DCT_SHIFT, HEADER
};

static inline int32_t length_of(uint32_t value)
{
    return value ? 32 - __builtin_clz(value) : 0;
}

static inline lanes size_of(lanes x)
{
    return x ^ (x >> 31);
}

// How many bits each frame's largest value lacks to `most`, as a factor; no frame is made smaller.
static inline lanes room(lanes bits, int32_t most, lanes *shift)
{
    lanes factor;
    for (int32_t lane = 0; lane < LANES; lane++) {
        int32_t left = most - length_of((uint32_t)bits[lane]);
        (*shift)[lane] = left;
        factor[lane] = 1 << left;
    }
    return factor;
}

// The same for a pass that divides by up to 2**most: `spare` bits are enough for its sums.
static inline lanes scale(lanes bits, int32_t spare, int32_t most, lanes *exponent)
{
    lanes factor;
    for (int32_t lane = 0; lane < LANES; lane++) {
        int32_t shift = length_of((uint32_t)bits[lane]) - spare;
        shift = shift > 0 ? shift : 0;
        (*exponent)[lane] += shift;
        factor[lane] = 1 << (most - shift);
    }
    return factor;
}

// Returns the bits of the largest values, as each step does.
static inline lanes windowed(const int16_t *const sound[LANES], const int16_t *window, const int16_t *places,
                             int32_t count, int32_t half, lanes *re, lanes *im, lanes *exponent)
{
    lanes bits = { 0 }, zero = { 0 };
    for (int32_t i = 0; i < half; i++) {
        lanes even = zero, odd = zero;
        if (2 * i + 1 < count) {
            for (int32_t lane = 0; lane < LANES; lane++) {
                even[lane] = *(const two_samples *)(sound[lane] + 2 * i);
            }
            odd = (even >> 16) * window[2 * i + 1];
            even = ((even << 16) >> 16) * window[2 * i];
        } else if (2 * i < count) {
            for (int32_t lane = 0; lane < LANES; lane++) {
                even[lane] = sound[lane][2 * i];
            }
            even *= window[2 * i];
        }
        re[places[i]] = even;
        im[places[i]] = odd;
        bits |= size_of(even) | size_of(odd);
    }
    lanes left, factor = room(bits, 30, &left);
    *exponent = 16 - left;
    bits = zero;
    for (int32_t i = 0; i < half; i++) {
        re[i] = (re[i] * factor + 32768) >> 16;
        im[i] = (im[i] * factor + 32768) >> 16;
        bits |= size_of(re[i]) | size_of(im[i]);
    }
    return bits;
}

static inline lanes twos(lanes *x, int32_t half, lanes factor)
{
    lanes bits = { 0 };
    for (int32_t i = 0; i < half; i += 2) {
        lanes a = x[i] * factor + 2, b = x[i + 1] * factor;
        x[i] = (a + b) >> 2;
        x[i + 1] = (a - b) >> 2;
        bits |= size_of(x[i]) | size_of(x[i + 1]);
    }
    return bits;
}

static inline lanes fours(lanes *re, lanes *im, const int16_t *cosines, const int16_t *sines, int32_t half,
                          int32_t length, lanes factor)
{
    lanes bits = { 0 };
    for (int32_t k = 0; k < length; k++) {
        int32_t c1 = cosines[k], c2 = cosines[length + k], c3 = cosines[2 * length + k];
        int32_t s1 = sines[k], s2 = sines[length + k], s3 = sines[2 * length + k];
        for (int32_t i = k; i < half; i += 4 * length) {
            lanes *r = re + i, *m = im + i;
            lanes ar = r[0] * factor * 8192 + 32768, ai = m[0] * factor * 8192 + 32768;
            lanes x = r[length] * factor, y = m[length] * factor;
            lanes br = x * c1 + y * s1, bi = y * c1 - x * s1;
            x = r[2 * length] * factor, y = m[2 * length] * factor;
            lanes cr = x * c2 + y * s2, ci = y * c2 - x * s2;
            x = r[3 * length] * factor, y = m[3 * length] * factor;
            lanes dr = x * c3 + y * s3, di = y * c3 - x * s3;
            lanes pr = ar + cr, pi = ai + ci, qr = ar - cr, qi = ai - ci;
            lanes ur = br + dr, ui = bi + di, vr = br - dr, vi = bi - di;
            r[0] = (pr + ur) >> 16;
            m[0] = (pi + ui) >> 16;
            r[length] = (qr + vi) >> 16;
            m[length] = (qi - vr) >> 16;
            r[2 * length] = (pr - ur) >> 16;
            m[2 * length] = (pi - ui) >> 16;
            r[3 * length] = (qr - vi) >> 16;
            m[3 * length] = (qi + vr) >> 16;
            bits |= size_of(r[0]) | size_of(m[0]) | size_of(r[length]) | size_of(m[length]) | size_of(r[2 * length])
                    | size_of(m[2 * length]) | size_of(r[3 * length]) | size_of(m[3 * length]);
        }
    }
    return bits;
}

static inline void take_apart(lanes *re, const lanes *im, const int16_t *cosines, const int16_t *sines, int32_t half,
                              lanes factor)
{
    for (int32_t k = 1; k <= half / 2; k++) {
        lanes r = re[k] * factor, m = im[k] * factor, u = re[half - k] * factor, v = im[half - k] * factor;
        lanes even_re = (r + u) * 8192 + 32768, even_im = (m - v) * 8192 + 32768;
        lanes x = r - u, y = m + v;
        int32_t c = cosines[k], s = sines[k];
        lanes turned_re = y * c - x * s, turned_im = -(x * c + y * s);
        x = (even_re - turned_re) >> 16, y = (even_im - turned_im) >> 16;
        re[half - k] = x * x + y * y;
        x = (even_re + turned_re) >> 16, y = (even_im + turned_im) >> 16;
        re[k] = x * x + y * y;
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

static inline void frames(const int32_t *header, const int16_t *const sound[LANES], lanes *re, lanes *im, lanes *features)
{
    int32_t half = header[FFT] / 2, bands = header[BANDS], coefficients = header[COEFFICIENTS];
    const int32_t *biases = header + HEADER;
    const int16_t *window = (const int16_t *)(biases + coefficients);
    const int16_t *cosines = window + header[WINDOW], *sines = cosines + header[TURNS];
    const int16_t *places = sines + header[TURNS], *firsts = places + half, *counts = firsts + bands;
    const uint16_t *offsets = (const uint16_t *)(counts + bands), *logs = offsets + bands;
    const int16_t *weights = (const int16_t *)(logs + 65), *dct = weights + header[WEIGHTS];

    lanes exponent, bits = windowed(sound, window, places, header[WINDOW], half, re, im, &exponent);
    int32_t length = 1;
    if ((length_of((uint32_t)half) & 1) == 0) {
        lanes factor = scale(bits, 13, 2, &exponent);
        bits = twos(re, half, factor);
        bits |= twos(im, half, factor);
        length = 2;
    }
    for (; length < half; cosines += 3 * length, sines += 3 * length, length *= 4) {
        bits = fours(re, im, cosines, sines, half, length, scale(bits, 12, 3, &exponent));
    }
    take_apart(re, im, cosines, sines, half, scale(bits, 12, 3, &exponent));

    lanes *log_mel = im;
    for (int32_t band = 0; band < bands; band++) {
        const unsigned_lanes *power = (const unsigned_lanes *)re + firsts[band];
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
enum { TABLES, SOUND, STARTS, RE, IM, ROWS, FEATURES };

// Frame i begins at sample STARTS[i]. RE, IM and ROWS are scratch for four frames.
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
        frames(header, four, a[RE], a[IM], a[ROWS]);
        for (int32_t lane = 0; lane < count; lane++) {
            for (int32_t k = 0; k < coefficients; k++) {
                *features++ = (int8_t)clamp(rows[k * LANES + lane], -128, 127);
            }
        }
    }
}
