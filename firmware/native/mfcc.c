// One frame of sound to MFCC: equal to firmware/lib/mfcc.py, the definition, to the last bit.
//
// No product or sum here has more than 32 bits, so that a Cortex-M0+ needs no helper for it.

#include "mfcc.h"

// Bits of a value that is not negative.
static inline int32_t length_of(uint32_t value)
{
    int32_t bits = 0;
    for (int32_t step = 16; step; step >>= 1) {
        if (value >> step) {
            value >>= step;
            bits += step;
        }
    }
    return bits + (int32_t)value;
}

// x if it is positive, else -x - 1: as many bits as its size needs.
static inline uint32_t size_of(int32_t x)
{
    return (uint32_t)(x ^ (x >> 31));
}

static inline int32_t positive(int32_t x)
{
    return x > 0 ? x : 0;
}

static inline int32_t bits_of(const int32_t *re, const int32_t *im, int32_t half)
{
    uint32_t bits = 0;
    for (int32_t i = 0; i < half; i++) {
        bits |= size_of(re[i]) | size_of(im[i]);
    }
    return length_of(bits);
}

// Sound times window, as pairs for the FFT; then scaled, so that the largest has 14 bits.
static inline int32_t windowed(const int16_t *sound, const int16_t *window, const int16_t *places, int32_t count,
                               int32_t half, int32_t *re, int32_t *im)
{
    for (int32_t i = 0; i < half; i++) {
        int32_t place = places[i];
        re[place] = 2 * i < count ? sound[2 * i] * window[2 * i] : 0;
        im[place] = 2 * i + 1 < count ? sound[2 * i + 1] * window[2 * i + 1] : 0;
    }
    int32_t exponent = bits_of(re, im, half) - 14;
    int32_t down = positive(exponent), up = positive(-exponent), round = (1 << down) >> 1;
    for (int32_t i = 0; i < half; i++) {
        re[i] = ((re[i] + round) >> down) * (1 << up);
        im[i] = ((im[i] + round) >> down) * (1 << up);
    }
    return exponent;
}

static inline void twos(int32_t *x, int32_t half, int32_t shift)
{
    for (int32_t i = 0; i < half; i += 2) {
        int32_t a = x[i] + ((1 << shift) >> 1), b = x[i + 1];
        x[i] = (a + b) >> shift;
        x[i + 1] = (a - b) >> shift;
    }
}

// b, c, d are turned by k, 2 k and 3 k steps; the four sums are a + b + c + d, each turned by quarters.
// The turns of one pass lie together: `length` each for b, c and d.
static inline void fours(int32_t *re, int32_t *im, const int16_t *cosines, const int16_t *sines, int32_t half,
                         int32_t length, int32_t shift)
{
    int32_t round = 1 << (shift - 1);
    for (int32_t i = 0; i < half; i += 4 * length) {
        int32_t *restrict r0 = re + i, *restrict r1 = r0 + length, *restrict r2 = r1 + length, *restrict r3 = r2 + length;
        int32_t *restrict m0 = im + i, *restrict m1 = m0 + length, *restrict m2 = m1 + length, *restrict m3 = m2 + length;
        for (int32_t k = 0; k < length; k++) {
            int32_t ar = r0[k] * 8192 + round, ai = m0[k] * 8192 + round;
            int32_t c = cosines[k], s = sines[k];
            int32_t br = r1[k] * c + m1[k] * s, bi = m1[k] * c - r1[k] * s;
            c = cosines[length + k], s = sines[length + k];
            int32_t cr = r2[k] * c + m2[k] * s, ci = m2[k] * c - r2[k] * s;
            c = cosines[2 * length + k], s = sines[2 * length + k];
            int32_t dr = r3[k] * c + m3[k] * s, di = m3[k] * c - r3[k] * s;
            r0[k] = (ar + cr + br + dr) >> shift;
            m0[k] = (ai + ci + bi + di) >> shift;
            r1[k] = (ar - cr + bi - di) >> shift;
            m1[k] = (ai - ci - br + dr) >> shift;
            r2[k] = (ar + cr - br - dr) >> shift;
            m2[k] = (ai + ci - bi - di) >> shift;
            r3[k] = (ar - cr - bi + di) >> shift;
            m3[k] = (ai - ci + br - dr) >> shift;
        }
    }
}

// From the spectrum of the pairs to the power of the sound's: bins k and half - k in place, in `re`.
static inline void take_apart(int32_t *re, const int32_t *im, const int16_t *cosines, const int16_t *sines, int32_t half,
                              int32_t shift)
{
    int32_t round = 1 << (shift - 1);
    for (int32_t k = 1; k <= half / 2; k++) {
        int32_t even_re = (re[k] + re[half - k]) * 8192 + round, even_im = (im[k] - im[half - k]) * 8192 + round;
        int32_t x = re[k] - re[half - k], y = im[k] + im[half - k];
        int32_t c = cosines[k], s = sines[k];
        int32_t turned_re = y * c - x * s, turned_im = -(x * c + y * s);
        x = (even_re - turned_re) >> shift, y = (even_im - turned_im) >> shift;
        re[half - k] = x * x + y * y;
        x = (even_re + turned_re) >> shift, y = (even_im + turned_im) >> shift;
        re[k] = x * x + y * y;
    }
}

static inline int32_t spectrum(int32_t *re, int32_t *im, const int16_t *cosines, const int16_t *sines, int32_t half)
{
    int32_t exponent = 0, length = 1;
    if ((length_of((uint32_t)half) & 1) == 0) {
        int32_t shift = positive(bits_of(re, im, half) - 13);
        twos(re, half, shift);
        twos(im, half, shift);
        exponent += shift;
        length = 2;
    }
    for (; length < half; length *= 4) {
        int32_t shift = positive(bits_of(re, im, half) - 12);
        fours(re, im, cosines, sines, half, length, shift + 13);
        cosines += 3 * length;
        sines += 3 * length;
        exponent += shift;
    }
    int32_t shift = positive(bits_of(re, im, half) - 12);
    take_apart(re, im, cosines, sines, half, shift + 13);
    return exponent + shift;
}

// log2 of high * 2**15 + low, 1.0 is 512. Not both are 0.
static inline int32_t log2_of(uint32_t high, uint32_t low, const uint16_t *logs)
{
    int32_t bits;
    uint32_t mantissa;  // the first 16 bits, the leading one included
    if (high) {
        bits = length_of(high);
        mantissa = bits > 16 ? high >> (bits - 16) : (high << (16 - bits)) | (low >> (bits - 1));
        bits += 15;
    } else {
        bits = length_of(low);
        mantissa = low << (16 - bits);
    }
    int32_t i = (mantissa >> 9) & 63, rest = mantissa & 511;
    int32_t value = logs[i] + (((logs[i + 1] - logs[i]) * rest) >> 9);
    return (bits - 1) * 512 + ((value + 32) >> 6);
}

// One frame of `window` samples to `coefficients` features.
static inline void frame(const int32_t *header, const int16_t *sound, int32_t *re, int32_t *im, int8_t *features)
{
    int32_t half = header[FFT] / 2, bands = header[BANDS], coefficients = header[COEFFICIENTS];
    const int32_t *biases = header + HEADER;
    const int16_t *window = (const int16_t *)(biases + coefficients);
    const int16_t *cosines = window + header[WINDOW], *sines = cosines + header[TURNS];
    const int16_t *places = sines + header[TURNS], *firsts = places + half, *counts = firsts + bands;
    const uint16_t *offsets = (const uint16_t *)(counts + bands), *logs = offsets + bands;
    const int16_t *weights = (const int16_t *)(logs + 65), *dct = weights + header[WEIGHTS];

    int32_t exponent = windowed(sound, window, places, header[WINDOW], half, re, im);
    exponent += spectrum(re, im, cosines, sines, half);

    // Each band's sum has 45 bits, kept as the upper 30 and the lower 15.
    int32_t *log_mel = im;
    for (int32_t band = 0; band < bands; band++) {
        const int32_t *power = re + firsts[band];
        uint32_t high = 0, low = 0;
        for (int32_t i = 0; i < counts[band]; i++) {
            uint32_t weight = (uint32_t)*weights++;
            high += ((uint32_t)power[i] >> 15) * weight;
            low += ((uint32_t)power[i] & 32767) * weight;
        }
        high += low >> 15;
        low &= 32767;
        log_mel[band] = high | low ? positive(log2_of(high, low, logs) + exponent * 1024 - offsets[band]) : 0;
    }

    for (int32_t k = 0; k < coefficients; k++) {
        int32_t total = biases[k];
        for (int32_t band = 0; band < bands; band++) {
            total += *dct++ * log_mel[band];
        }
        features[k] = (int8_t)clamp(total >> header[DCT_SHIFT], -128, 127);
    }
}

enum { FRAMES };
enum { TABLES, SOUND, RE, IM, FEATURES, HISTORY };

// The sound goes on by one hop, the features by one frame.
KERNEL(push)
{
    const int32_t *header = a[TABLES];
    const int16_t *sound = a[SOUND];
    int16_t *history = a[HISTORY];
    int8_t *features = a[FEATURES];
    int32_t hop = header[HOP], kept = header[WINDOW] - hop, coefficients = header[COEFFICIENTS];
    for (int32_t i = 0; i < kept; i++) {
        history[i] = history[i + hop];
    }
    for (int32_t i = 0; i < hop; i++) {
        history[kept + i] = sound[i];
    }
    for (int32_t i = (p[FRAMES] - 1) * coefficients; i > 0; i--, features++) {
        features[0] = features[coefficients];
    }
    frame(header, history, a[RE], a[IM], features);
}
