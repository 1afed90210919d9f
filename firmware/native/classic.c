// Classical models: the same answers as firmware/lib/classic, the definition, which explains each step.
//
// One call runs a whole chain of steps. Every step has its own numbers and buffers, in the order of its enums.

#include "kernel.h"

#ifdef __wasm__
typedef double real;  // as MicroPython's floats there
#else
typedef float real;
#endif

enum { FINISH, TREES, SCALE, SELECT, IMPUTE, LINEAR, SVM, CENTRES, NEIGHBOURS, BAYES };

typedef union {
    float number;
    int32_t bits;
} float_bits;

// exp(x): x = n * log(2) + r, a Taylor series for r, and n into the exponent. Relative error below 3e-16, with 32-bit
// floats below 1e-7.
static inline real exponential(real x)
{
    real limit = sizeof(real) == 8 ? 700 : 85;
    x = x < -limit ? -limit : x > limit ? limit : x;
    real scaled = x * (real)1.4426950408889634;
    int32_t n = (int32_t)(scaled + (scaled < 0 ? (real)-0.5 : (real)0.5));
    real r = (x - n * (real)0.693359375) + n * (real)2.1219444005469058e-4;  // log(2) in two parts
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

static inline real logistic(real x)
{
    if (x > 0) {
        return 1 / (1 + exponential(-x));
    }
    real odds = exponential(x);
    return odds / (1 + odds);
}

static inline real hyperbolic_tangent(real x)
{
    return 2 * logistic(2 * x) - 1;
}

static inline real square_root(real x)
{
    return sizeof(real) == 8 ? (real)__builtin_sqrt(x) : (real)__builtin_sqrtf((float)x);
}

// --- trees ------------------------------------------------------------------------------------------------------

enum { VOTES, COUNTS, ROWS, VALUES, WHOLE };
enum { MISSING = 1, UPPER_ONLY = 2 };
enum { T_OUTPUTS, T_LEAVES, T_FLAGS, T_ROOTS, T_FEATURE_BYTES, T_CHILD_BYTES, T_LOWER, T_TABLE_BYTES };
enum { T_X, T_ROOT, T_FEATURE, T_UPPER, T_LOWER_HALF, T_LEFT, T_RIGHT, T_TABLE, T_BASE, T_MISSING, T_OUTPUT, T_WANTED };

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
    if (leaves == WHOLE) {
        return ((const int16_t *)table)[i];
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
            y[k] = leaves == WHOLE ? 0 : base[k];
        }
    }
    // With more than half of all votes a class has won; shares need every vote.
    int32_t enough = leaves == VOTES && !*(const int32_t *)a[T_WANTED] ? p[T_ROOTS] / 2 : p[T_ROOTS];
    for (int32_t tree = 0; tree < p[T_ROOTS]; tree++) {
        int32_t root = child(a[T_ROOT], p[T_CHILD_BYTES], tree);
        int32_t row = p[T_FEATURE_BYTES] == 1 && p[T_CHILD_BYTES] == 2
                      ? leaf_of(p, a, root, 1, 2) : leaf_of(p, a, root, p[T_FEATURE_BYTES], p[T_CHILD_BYTES]);
        if (leaves == VOTES) {
            if (++votes[row] > enough) {
                break;
            }
        } else if (leaves >= VALUES) {
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
    for (int32_t k = 0; leaves == WHOLE && k < outputs; k++) {
        y[k] = base[k] + y[k] * base[outputs];
    }
}

// --- the last step ----------------------------------------------------------------------------------------------

enum { VALUE, EXP, SHARES, LARGEST, SOFTMAX, SIGN, SIGMOID, PAIRS };
enum { F_WANTED, F_HOW, F_CLASSES, F_DIVISOR, F_INCLUSIVE, F_FACTOR };
enum { F_SCORES, F_OUTPUT, F_RESULT, F_VOTES, F_LIMIT, F_PAIRS };

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
    if (how == PAIRS) {
        uint16_t *pairs = a[F_PAIRS];
        for (int32_t k = 0; k < classes; k++) {
            pairs[k] = 0;
        }
        for (int32_t i = 0; i < classes; i++) {
            for (int32_t j = i + 1; j < classes; j++) {
                pairs[*scores++ > 0 ? i : j]++;
            }
        }
        for (int32_t k = 1; k < classes; k++) {
            best = pairs[k] > pairs[best] ? k : best;
        }
        *result = best;
    } else if (how >= SIGN) {
        real limit = *(const real *)a[F_LIMIT];
        *result = scores[0] > limit || (p[F_INCLUSIVE] && scores[0] == limit);
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
        output[1] = (float)logistic(p[F_FACTOR] * scores[0]);
        output[0] = (float)logistic(-p[F_FACTOR] * scores[0]);
    }
}

// --- columns ----------------------------------------------------------------------------------------------------

enum { C_X, C_UPPER, C_LOWER, C_FACTOR, C_LOW, C_HIGH, C_CLIPS, C_SCALED };

static inline void scale(const int32_t *p, void *const *a)
{
    const float *x = a[C_X], *upper = a[C_UPPER], *lower = a[C_LOWER], *factor = a[C_FACTOR];
    const float *low = a[C_LOW], *high = a[C_HIGH];
    int32_t clips = *(const int32_t *)a[C_CLIPS];
    float *output = a[C_SCALED];
    for (int32_t k = 0; k < p[0]; k++) {
        real y = ((real)x[k] - upper[k] - lower[k]) * factor[k];
        output[k] = clips && y < low[k] ? low[k] : clips && y > high[k] ? high[k] : (float)y;
    }
}

static inline void choose(const int32_t *p, void *const *a)
{
    const float *x = a[0];
    const uint16_t *chosen = a[1];
    float *output = a[2];
    for (int32_t k = 0; k < p[0]; k++) {
        output[k] = x[chosen[k]];
    }
}

static inline void impute(const int32_t *p, void *const *a)
{
    const float *x = a[0], *values = a[1], *gaps = a[2];
    float *output = a[3];
    for (int32_t k = 0; k < p[0]; k++) {
        int32_t missing = gaps[k] != gaps[k] ? x[k] != x[k] : x[k] == gaps[k];
        output[k] = missing ? values[k] : x[k];
    }
}

// --- weighted sums ----------------------------------------------------------------------------------------------

enum { NONE, LOGISTIC, TANH, RELU };
enum { L_OUTPUTS, L_ACTIVATION, L_SCORED, L_INPUTS, L_SHORT };
enum { L_X, L_WEIGHTS, L_SCALES, L_BIAS, L_OUTPUT };

static inline void linear(const int32_t *p, void *const *a)
{
    const float *x = a[L_X], *weights = a[L_WEIGHTS], *scales = a[L_SCALES];
    const int16_t *whole = a[L_WEIGHTS];
    const real *bias = a[L_BIAS];
    int32_t inputs = p[L_INPUTS], activation = p[L_ACTIVATION];
    for (int32_t k = 0; k < p[L_OUTPUTS]; k++) {
        real y = 0;
        for (int32_t j = 0; j < inputs; j++) {
            y += (real)x[j] * (p[L_SHORT] ? (real)whole[k * inputs + j] : (real)weights[k * inputs + j]);
        }
        if (p[L_SHORT]) {
            y *= scales[k];
        }
        y += bias[k];
        if (activation == RELU) {
            y = y > 0 ? y : 0;
        } else if (activation == LOGISTIC) {
            y = logistic(y);
        } else if (activation == TANH) {
            y = hyperbolic_tangent(y);
        }
        if (p[L_SCORED]) {
            ((real *)a[L_OUTPUT])[k] = y;
        } else {
            ((float *)a[L_OUTPUT])[k] = (float)y;
        }
    }
}

// --- points -----------------------------------------------------------------------------------------------------

// The first numbers and buffers of all that keep points. Width: 4 is float32, 1 uint8, -1 int8, -2 int16.
enum { P_SIZE, P_COUNT, P_WIDTH, P_SCALED, P_OWN };
enum { P_X, P_POINTS, P_SCALES, P_BUFFER };
enum { EUCLIDEAN, MANHATTAN, PRODUCT };

static inline real coordinate(const int32_t *p, void *const *a, int32_t row, int32_t j)
{
    int32_t i = row * p[P_SIZE] + j, width = p[P_WIDTH];
    real value = width == 4 ? (real)((const float *)a[P_POINTS])[i]
                 : width == 1 ? (real)((const uint8_t *)a[P_POINTS])[i]
                 : width == -1 ? (real)((const int8_t *)a[P_POINTS])[i] : (real)((const int16_t *)a[P_POINTS])[i];
    return p[P_SCALED] ? value * ((const float *)a[P_SCALES])[j] : value;
}

static inline real compare(const int32_t *p, void *const *a, int32_t row, int32_t how)
{
    const float *x = a[P_X];
    real total = 0;
    for (int32_t j = 0; j < p[P_SIZE]; j++) {
        real value = coordinate(p, a, row, j), d = x[j] - value;
        total += how == PRODUCT ? x[j] * value : how == EUCLIDEAN ? d * d : d < 0 ? -d : d;
    }
    return total;
}

enum { RBF, POLYNOMIAL, SIGMOID_FORM };
enum { V_FORM = P_OWN, V_DEGREE, V_CLASSES };
enum { V_COEFFICIENTS = P_BUFFER, V_BIAS, V_SHAPE, V_STARTS, V_OUTPUT };

static inline real nearness(const int32_t *p, void *const *a, int32_t row)
{
    const real *shape = a[V_SHAPE];
    if (p[V_FORM] == RBF) {
        return exponential(-shape[0] * compare(p, a, row, EUCLIDEAN));
    }
    real base = shape[0] * compare(p, a, row, PRODUCT) + shape[1], power = 1;
    if (p[V_FORM] == SIGMOID_FORM) {
        return hyperbolic_tangent(base);
    }
    for (int32_t i = 0; i < p[V_DEGREE]; i++) {
        power *= base;
    }
    return power;
}

static inline void vectors(const int32_t *p, void *const *a)
{
    const real *coefficients = a[V_COEFFICIENTS], *bias = a[V_BIAS];
    const int32_t *starts = a[V_STARTS];
    real *output = a[V_OUTPUT];
    int32_t classes = p[V_CLASSES], count = p[P_COUNT], pairs = classes == 1 ? 1 : classes * (classes - 1) / 2;
    for (int32_t k = 0; k < pairs; k++) {
        output[k] = bias[k];
    }
    for (int32_t own = 0; own < classes; own++) {
        for (int32_t row = starts[own]; row < starts[own + 1]; row++) {
            real near = nearness(p, a, row);
            if (classes == 1) {
                output[0] += coefficients[row] * near;
            }
            // The pairs (other, own), then (own, other).
            for (int32_t other = 0, pair = own - 1; other < own; pair += classes - other - 2, other++) {
                output[pair] += coefficients[other * count + row] * near;
            }
            int32_t pair = own * (2 * classes - own - 1) / 2;
            for (int32_t other = own + 1; other < classes; other++) {
                output[pair++] += coefficients[(other - 1) * count + row] * near;
            }
        }
    }
}

static inline void centres(const int32_t *p, void *const *a)
{
    real *output = a[P_BUFFER];
    for (int32_t row = 0; row < p[P_COUNT]; row++) {
        output[row] = -compare(p, a, row, p[P_OWN]);
    }
}

enum { N_METRIC = P_OWN, N_K, N_BY_DISTANCE, N_OUTPUTS, N_BYTES };
enum { N_SAYS = P_BUFFER, N_DISTANCES, N_ROWS, N_OUTPUT };

// The farthest of the nearest goes; a heap, see points.py.
static inline void keep(real *distances, int32_t *rows, int32_t size, real distance, int32_t row)
{
    if (!(distance < distances[0])) {
        return;
    }
    int32_t at = 0;
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= size) {
            break;
        }
        child += child + 1 < size && distances[child + 1] > distances[child];
        if (!(distances[child] > distance)) {
            break;
        }
        distances[at] = distances[child];
        rows[at] = rows[child];
        at = child;
    }
    distances[at] = distance;
    rows[at] = row;
}

static inline void neighbours(const int32_t *p, void *const *a)
{
    real *distances = a[N_DISTANCES], *output = a[N_OUTPUT], total = 0;
    int32_t *rows = a[N_ROWS], nearest = p[N_K], exact = 0;
    for (int32_t n = 0; n < nearest; n++) {
        distances[n] = (real)3e38;
        rows[n] = 0;
    }
    for (int32_t row = 0; row < p[P_COUNT]; row++) {
        keep(distances, rows, nearest, compare(p, a, row, p[N_METRIC]), row);
    }
    for (int32_t n = 0; n < nearest; n++) {
        exact |= distances[n] == 0;
    }
    for (int32_t k = 0; k < p[N_OUTPUTS]; k++) {
        output[k] = 0;
    }
    for (int32_t n = 0; n < nearest; n++) {
        real weight = 1, d = distances[n];
        if (p[N_BY_DISTANCE]) {
            weight = exact ? (real)(d == 0) : 1 / (p[N_METRIC] == EUCLIDEAN ? square_root(d) : d);
        }
        total += weight;
        if (p[N_BYTES] == 8) {
            output[0] += weight * ((const real *)a[N_SAYS])[rows[n]];
        } else {
            output[p[N_BYTES] == 1 ? ((const uint8_t *)a[N_SAYS])[rows[n]] : ((const uint16_t *)a[N_SAYS])[rows[n]]] += weight;
        }
    }
    for (int32_t k = 0; k < p[N_OUTPUTS]; k++) {
        output[k] /= total;
    }
}

static inline void bayes(const int32_t *p, void *const *a)
{
    const float *x = a[0];
    const real *base = a[1], *means = a[2], *factors = a[3];
    real *output = a[4];
    for (int32_t k = 0; k < p[0]; k++) {
        real total = base[k];
        for (int32_t j = 0; j < p[1]; j++) {
            real z = (x[j] - *means++) * *factors++;
            total -= z * z;
        }
        output[k] = total;
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
        } else if (kind == SCALE) {
            scale(numbers, a + 1);
        } else if (kind == SELECT) {
            choose(numbers, a + 1);
        } else if (kind == IMPUTE) {
            impute(numbers, a + 1);
        } else if (kind == LINEAR) {
            linear(numbers, a + 1);
        } else if (kind == SVM) {
            vectors(numbers, a + 1);
        } else if (kind == CENTRES) {
            centres(numbers, a + 1);
        } else if (kind == NEIGHBOURS) {
            neighbours(numbers, a + 1);
        } else if (kind == BAYES) {
            bayes(numbers, a + 1);
        } else if (kind == FINISH) {
            finish(numbers, a + 1);
        }
        a += 1 + p[2 + 2 * step];
    }
}
