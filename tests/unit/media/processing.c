/* Echo cancellation in a modelled room: a loudspeaker's voice comes back through a room (RT60 0.3
 * s) and two devices' latency, mixed with a near voice and noise. */
#include "media/processing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    RATE = PROCESSING_RATE,
    SECONDS = 13,
    N = RATE * SECONDS,
    FAR_END = RATE * 10,   /* the far voice is silent from here on */
    NEAR_START = RATE * 7, /* the near voice speaks from here on */
    ECHOES = 400,          /* paths through the room */
};

static const double RT60 = 0.3;

static float far_voice[N + RATE], near_voice[N], echo[N], out[N];

static uint32_t seed;

static double uniform(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) / 16777216.0;
}

struct resonance {
    double a1, a2, y1, y2;
};

static double resonate(struct resonance *r, double x)
{
    double y = x - r->a1 * r->y1 - r->a2 * r->y2;
    r->y2 = r->y1;
    r->y1 = y;
    return y;
}

static void tune(struct resonance *r, double hz, double width)
{
    double radius = exp(-M_PI * width / RATE);
    r->a1 = -2 * radius * cos(2 * M_PI * hz / RATE);
    r->a2 = radius * radius;
}

/* Like speech: syllables of a fifth of a second, voiced with three formants or hissing, and pauses.
 */
static void speak(float *samples, int from, int to, double pitch, uint32_t voice_seed)
{
    struct resonance formants[3] = {{0}};
    double phase = 0;
    double level = 0;
    double melody = 1;
    bool voiced = true;
    double energy = 0;
    seed = voice_seed;
    for (int i = from; i < to; i++) {
        int at = (i - from) % (RATE / 5);
        if (at == 0) {
            level = uniform() < 0.2 ? 0 : 0.4 + 0.6 * uniform();
            voiced = uniform() < 0.8;
            melody = 0.9 + 0.3 * uniform();
            tune(&formants[0], 300 + 500 * uniform(), 80);
            tune(&formants[1], 900 + 1300 * uniform(), 120);
            tune(&formants[2], 2400 + 800 * uniform(), 200);
        }
        phase += pitch * melody / RATE;
        double x = (uniform() - 0.5) * (voiced ? 0.02 : 0.3);
        if (phase >= 1) {
            phase -= 1;
            x += voiced;
        }
        for (int f = 0; f < 3; f++) {
            x = resonate(&formants[f], x) * 0.2;
        }
        samples[i] = (float)(x * level * sin(M_PI * at / (RATE / 5.0)));
        energy += samples[i] * samples[i];
    }
    double gain = 0.08 / sqrt(energy / (to - from));
    for (int i = from; i < to; i++) {
        samples[i] = (float)fmax(-0.9, fmin(0.9, samples[i] * gain));
    }
}

/* From `from` on the way takes `delay` samples. */
static void make_echo(int delay, int from)
{
    memset(echo + from, 0, (size_t)(N - from) * sizeof *echo);
    seed = 7;
    for (int path = 0; path < ECHOES; path++) {
        double after = path == 0 ? 0.002 : 0.004 + RT60 * uniform();
        double gain = pow(10, -3 * after / RT60) * (path == 0 ? 0.3 : 0.12 * (uniform() - 0.5));
        int shift = delay + (int)(after * RATE);
        for (int i = shift < from ? from : shift; i < N; i++) {
            echo[i] += (float)gain * far_voice[i - shift];
        }
    }
}

static double power_db(const float *samples, int from, int to)
{
    double sum = 0;
    for (int i = from; i < to; i++) {
        sum += samples[i] * samples[i];
    }
    return 10 * log10(sum / (to - from) + 1e-12);
}

static double correlation_with_near(int from, int to)
{
    double best = 0;
    for (int shift = 0; shift < RATE / 50; shift += 4) {
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (int i = from; i < to - RATE / 50; i += 5) {
            xy += near_voice[i] * out[i + shift];
            xx += near_voice[i] * near_voice[i];
            yy += out[i + shift] * out[i + shift];
        }
        double c = xy / sqrt(xx * yy + 1e-12);
        best = c > best ? c : best;
    }
    return best;
}

static int16_t to_sample(double value)
{
    return (int16_t)lrint(fmax(-32768, fmin(32767, value * 32768)));
}

/* At RESTART the call was on hold for ten minutes, and then the loudspeaker is slower by this. */
enum { RESTART = 2 * RATE };
static int restart_ms; /* 0: no restart */

static usec time_of(int at)
{
    usec hold = restart_ms && at >= RESTART ? 600 * USEC_PER_SEC : 0;
    return 1000 * USEC_PER_SEC + hold + (usec)at * USEC_PER_SEC / RATE;
}

/* The devices take `out_ms` and `in_ms`; what they tell is wrong by `error_ms`. */
static void run_call(struct processing *processing, int out_ms, int in_ms, int error_ms)
{
    memset(far_voice, 0, sizeof far_voice);
    memset(near_voice, 0, sizeof near_voice);
    speak(far_voice, 0, FAR_END, 110, 1);
    speak(near_voice, NEAR_START, N, 190, 2);
    make_echo((out_ms + in_ms) * RATE / 1000, 0);
    if (restart_ms) {
        make_echo((out_ms + restart_ms + in_ms) * RATE / 1000, RESTART);
    }
    seed = 3;
    for (int at = 0; at < N; at += PROCESSING_BLOCK) {
        int16_t block[PROCESSING_BLOCK];
        usec now = time_of(at);
        if (restart_ms && at == RESTART) {
            processing_restart(processing);
        }
        int speaker_ms = out_ms + (at >= RESTART ? restart_ms : 0);
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            block[i] = to_sample(far_voice[at + i]);
        }
        processing_far(processing, block, now + (speaker_ms + error_ms) * USEC_PER_MS);
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            double noise = 0.001 * (uniform() - 0.5);
            block[i] = to_sample(echo[at + i] + near_voice[at + i] + noise);
        }
        /* polls of the media thread come a bit early and late */
        usec wobble = (usec)(2000 * uniform());
        processing_near(processing, block, now + wobble - in_ms * USEC_PER_MS);
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            out[at + i] = block[i] / 32768.0F;
        }
    }
}

static void check_call(int out_ms, int in_ms, int error_ms)
{
    struct processing *processing = processing_new(true, true, false);
    assert_non_null(processing);
    run_call(processing, out_ms, in_ms, error_ms);
    processing_free(processing);
    double erle = power_db(echo, 3 * RATE, NEAR_START) - power_db(out, 3 * RATE, NEAR_START);
    double both = power_db(out, NEAR_START, FAR_END) - power_db(near_voice, NEAR_START, FAR_END);
    double alone =
        power_db(out, FAR_END + RATE / 2, N) - power_db(near_voice, FAR_END + RATE / 2, N);
    double both_like = correlation_with_near(NEAR_START, FAR_END);
    double alone_like = correlation_with_near(FAR_END + RATE / 2, N);
    print_message("delay %d+%d ms told wrong by %d: ERLE %.1f dB; near voice during far %+.1f dB, "
                  "correlation %.2f; alone %+.1f dB, %.2f\n",
                  out_ms, in_ms, error_ms, erle, both, both_like, alone, alone_like);
    assert_true(erle >= 20);
    assert_true(fabs(both) <= 3);
    assert_true(fabs(alone) <= 3);
    assert_true(both_like >= 0.85);
    assert_true(alone_like >= 0.9);
}

static void test_echo_is_cancelled_and_near_speech_kept(void **state)
{
    (void)state;
    check_call(50, 30, 0);
}

static void test_echo_is_cancelled_although_the_devices_tell_wrong_delays(void **state)
{
    (void)state;
    check_call(25, 15, 10);
    check_call(80, 40, -5);
}

static void test_echo_is_cancelled_again_after_a_hold_with_another_loudspeaker(void **state)
{
    (void)state;
    struct processing *processing = processing_new(true, true, false);
    restart_ms = 60;
    run_call(processing, 30, 30, 0);
    restart_ms = 0;
    processing_free(processing);
    int from = RESTART + 2 * RATE;
    double erle = power_db(echo, from, NEAR_START) - power_db(out, from, NEAR_START);
    print_message("ERLE %.1f dB from 2 s after the restart on\n", erle);
    assert_true(erle >= 12);
}

static void test_without_a_far_voice_near_speech_passes(void **state)
{
    (void)state;
    struct processing *processing = processing_new(true, true, false);
    speak(near_voice, 0, 4 * RATE, 190, 2);
    for (int at = 0; at < 4 * RATE; at += PROCESSING_BLOCK) {
        int16_t block[PROCESSING_BLOCK];
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            block[i] = to_sample(near_voice[at + i]);
        }
        processing_near(processing, block, (usec)at * USEC_PER_SEC / RATE);
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            out[at + i] = block[i] / 32768.0F;
        }
    }
    processing_free(processing);
    assert_true(fabs(power_db(out, RATE, 4 * RATE) - power_db(near_voice, RATE, 4 * RATE)) < 2);
    assert_true(correlation_with_near(RATE, 4 * RATE) > 0.9);
}

static double noise_left_db(bool suppression)
{
    struct processing *processing = processing_new(false, suppression, false);
    seed = 5;
    double sum = 0;
    for (int n = 0; n < 400; n++) {
        int16_t block[PROCESSING_BLOCK];
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            block[i] = to_sample(0.02 * (uniform() - 0.5));
        }
        processing_near(processing, block, n * 10 * USEC_PER_MS);
        for (int i = 0; i < PROCESSING_BLOCK && n >= 300; i++) {
            sum += (double)block[i] * block[i];
        }
    }
    processing_free(processing);
    double given = 0.02 * 0.02 / 12 * 32768 * 32768 * 100 * PROCESSING_BLOCK;
    return 10 * log10(sum / given);
}

static void test_noise_suppression_can_be_left_out(void **state)
{
    (void)state;
    assert_true(noise_left_db(true) < -10);
    assert_true(fabs(noise_left_db(false)) < 1.5);
}

static double level_after_gain_db(double level)
{
    struct processing *processing = processing_new(false, false, true);
    speak(near_voice, 0, N, 150, 9);
    for (int at = 0; at < N; at += PROCESSING_BLOCK) {
        int16_t block[PROCESSING_BLOCK];
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            block[i] = to_sample(level * near_voice[at + i]);
        }
        processing_near(processing, block, (usec)at * USEC_PER_SEC / RATE);
        for (int i = 0; i < PROCESSING_BLOCK; i++) {
            out[at + i] = block[i] / 32768.0F;
        }
    }
    processing_free(processing);
    return power_db(out, N / 2, N);
}

static void test_gain_control_brings_quiet_and_loud_voices_together(void **state)
{
    (void)state;
    double quiet = level_after_gain_db(0.3);
    double loud = level_after_gain_db(2);
    print_message("16.5 dB apart before, %.1f dB after gain control\n", loud - quiet);
    assert_true(loud - quiet < 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_is_cancelled_and_near_speech_kept),
        cmocka_unit_test(test_echo_is_cancelled_although_the_devices_tell_wrong_delays),
        cmocka_unit_test(test_echo_is_cancelled_again_after_a_hold_with_another_loudspeaker),
        cmocka_unit_test(test_without_a_far_voice_near_speech_passes),
        cmocka_unit_test(test_noise_suppression_can_be_left_out),
        cmocka_unit_test(test_gain_control_brings_quiet_and_loud_voices_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
