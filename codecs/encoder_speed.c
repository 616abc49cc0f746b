#include "codecs/encoder_speed.h"

#define LOAD_HIGH     0.6
#define LOAD_FULL     0.9
#define LOAD_MAX      1.25
#define LOAD_LOW      0.35
#define SMOOTHING     0.1
#define SECOND        INT64_C(1000000)
#define PATIENCE_MIN  (4 * SECOND)
#define PATIENCE_MAX  (120 * SECOND)
#define PATIENCE_GOOD (10 * SECOND) /* a slower speed that lasted so long was right */

enum { SETTLING_FRAMES = 8, CAREFUL_STEP = 1, HASTY_STEP = 2 };

void encoder_speed_start(struct encoder_speed *speed, const struct video_codec *codec,
                         uint32_t width, uint32_t height)
{
    *speed = (struct encoder_speed){
        .slowest = codec->speed_slowest,
        .fastest = codec->speed_fastest,
        .speed = codec->speed_for(width, height),
        .load = (LOAD_HIGH + LOAD_LOW) / 2,
        .patience = PATIENCE_MIN,
        .settling = SETTLING_FRAMES,
    };
}

static void change(struct encoder_speed *speed, int by)
{
    int wanted = speed->speed + by;
    wanted = wanted > speed->fastest ? speed->fastest : wanted;
    speed->speed = wanted < speed->slowest ? speed->slowest : wanted;
    speed->trying = by < 0;
    speed->since = 0;
    speed->settling = SETTLING_FRAMES;
    speed->load = (LOAD_HIGH + LOAD_LOW) / 2;
}

static void go_faster(struct encoder_speed *speed)
{
    if (speed->trying) { /* the try has failed: wait longer before the next */
        speed->patience = speed->patience * 2 < PATIENCE_MAX ? speed->patience * 2 : PATIENCE_MAX;
    }
    change(speed, speed->load > LOAD_FULL ? HASTY_STEP : CAREFUL_STEP);
}

int encoder_speed_update(struct encoder_speed *speed, int64_t took, int64_t interval)
{
    if (interval <= 0 || took < 0) {
        return speed->speed;
    }
    double load = (double)took / (double)interval;
    load = load > LOAD_MAX ? LOAD_MAX : load; /* one frame that was held up is not a trend */
    speed->load += SMOOTHING * (load - speed->load);
    speed->since += interval > SECOND ? SECOND : interval;
    if (speed->trying && speed->since >= PATIENCE_GOOD) {
        speed->trying = false;
        speed->patience = PATIENCE_MIN;
    }
    if (speed->settling > 0) {
        speed->settling--;
    } else if (speed->load > LOAD_HIGH && speed->speed < speed->fastest) {
        go_faster(speed);
    } else if (speed->load < LOAD_LOW && speed->speed > speed->slowest &&
               speed->since >= speed->patience) {
        change(speed, -1);
    }
    return speed->speed;
}
