/* Takes a screen as jingle_video_source_screen("") gives it, twice, and says what it sees. */
#include <jingle/jingle.h>

#include <stdio.h>
#include <stdlib.h>

enum { PICTURES = 10, READS = 300 };

static const int64_t TIMEOUT = 100000;

static bool near(int value, int wanted)
{
    return abs(value - wanted) < 3;
}

static void take(jingle_video_source *source)
{
    jingle_picture picture;
    int seen = 0;
    for (int i = 0; i < READS && seen < PICTURES; i++) {
        long got = source->read(source->user, &picture, TIMEOUT);
        if (got < 0) {
            printf("told %ld after %d\n", got, seen);
            return;
        }
        seen += got == 1;
    }
    if (seen == 0) {
        printf("nothing\n");
        return;
    }
    bool red = near(picture.planes[0][0], 82) && near(picture.planes[1][0], 90) &&
               near(picture.planes[2][0], 240);
    printf("%d pictures of %u by %u, %s\n", seen, picture.width, picture.height,
           red ? "red" : "not red");
}

int main(void)
{
    jingle_status status;
    jingle_video_source *source = jingle_video_source_screen("", &status);
    if (!source) {
        printf("no source: %d\n", status);
        return 1;
    }
    for (int round = 0; round < 2; round++) {
        jingle_video_format format = {.frame_rate = 30};
        status = source->start(source->user, &format);
        if (status != JINGLE_OK) {
            printf("no start: %d\n", status);
            break;
        }
        take(source);
        source->stop(source->user);
    }
    jingle_video_source_free(source);
    return 0;
}
