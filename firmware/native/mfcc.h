// What the features of one frame (mfcc.c) and of many (mfcc_batch.c) share.

#include "kernel.h"

// The header of the tables, as edgekit/features/mfcc.py writes it.
enum {
    MAGIC, BYTES, CHECK, RATE_HZ, WINDOW, HOP, FFT, BANDS, COEFFICIENTS, LOW_HZ, HIGH_HZ, MEL_SCALE, FLOOR_DB, SHIFT,
    FIRST_SHIFT, FIRST_OFFSET, TURNS, WEIGHTS, DCT_SHIFT, HEADER
};
