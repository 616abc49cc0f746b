#include "bench/distance.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { RATE = 48000, FFT = 1024, BANDS = 20 };

static const double audible_db = -45; /* below full scale */

static void swap(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

static void reverse_bits(double *re, double *im)
{
    for (size_t i = 1, j = 0; i < FFT; i++) {
        size_t bit = FFT >> 1;
        for (; j & bit; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            swap(&re[i], &re[j]);
            swap(&im[i], &im[j]);
        }
    }
}

static void fft(double *re, double *im)
{
    reverse_bits(re, im);
    for (size_t size = 2; size <= FFT; size *= 2) {
        for (size_t k = 0; k < size / 2; k++) {
            double wr = cos(-2 * M_PI * (double)k / (double)size);
            double wi = sin(-2 * M_PI * (double)k / (double)size);
            for (size_t i = k; i < FFT; i += size) {
                size_t j = i + size / 2;
                double tr = re[j] * wr - im[j] * wi;
                double ti = re[j] * wi + im[j] * wr;
                re[j] = re[i] - tr;
                im[j] = im[i] - ti;
                re[i] += tr;
                im[i] += ti;
            }
        }
    }
}

/* The bands' levels; returns that of the whole, in dB of full scale. */
static double band_levels(const int16_t *samples, double *levels)
{
    double re[FFT] = {0};
    double im[FFT] = {0};
    double energy = 0;
    for (size_t i = 0; i < DISTANCE_FRAME; i++) {
        double sample = samples[i] / 32768.0;
        energy += sample * sample;
        re[i] = sample * (0.5 - 0.5 * cos(2 * M_PI * ((double)i + 0.5) / DISTANCE_FRAME));
    }
    fft(re, im);
    for (size_t band = 0; band < BANDS; band++) {
        double from = 100 * pow(80, (double)band / BANDS) * FFT / RATE;
        double to = 100 * pow(80, (double)(band + 1) / BANDS) * FFT / RATE;
        size_t first = (size_t)from;
        size_t last = (size_t)to > first ? (size_t)to : first + 1;
        double sum = 1e-7 * (double)(last - first); /* what nobody hears does not differ */
        for (size_t i = first; i < last; i++) {
            sum += re[i] * re[i] + im[i] * im[i];
        }
        levels[band] = 10 * log10(sum / (double)(last - first));
    }
    return 10 * log10(energy / DISTANCE_FRAME + 1e-12);
}

double distance_between(const int16_t *a, const int16_t *b)
{
    double a_levels[BANDS];
    double b_levels[BANDS];
    double a_db = band_levels(a, a_levels);
    double b_db = band_levels(b, b_levels);
    if (a_db < audible_db && b_db < audible_db) {
        return -1;
    }
    double sum = 0;
    for (size_t band = 0; band < BANDS; band++) {
        double differs = a_levels[band] - b_levels[band];
        sum += differs * differs;
    }
    return sqrt(sum / BANDS);
}
