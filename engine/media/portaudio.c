#include "media/portaudio.h"

#include "base/thread.h"
#include "media/quiet.h"

#include <portaudio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 48000,
    PERIODS_PER_SECOND = 100,
    RING_SAMPLES = 1 << 15,   /* 0.68 s of 48 kHz mono */
    WATCH = 500 * 1000,       /* usec between looks at open streams */
    RETRY = 3 * 1000 * 1000,  /* usec between attempts to open a lost one */
    SILENT = 4 * 1000 * 1000, /* usec without a period: lost; PulseAudio's null sink alone takes
                                 two seconds to begin */
    CANDIDATES = 4            /* rates and channel counts that are tried */
};

static const double LATENCY = 0.02; /* seconds that the system may buffer */

/* What the desk thread alone knows of a stream, and what is asked of it. */
struct desk_side {
    struct desk_side *next;
    struct stream *stream;
    bool wanted; /* under the desk's mutex, and so is this: */
    bool dying;
    PaStream *handle; /* NULL: not open */
    usec retry_at;
    unsigned periods_seen;
    usec periods_seen_at;
};

struct listing {
    bool asked;
    bool done;
    jingle_status status;
    jingle_audio_device *devices;
    size_t count;
};

static struct desk {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    unsigned users; /* streams and listings: while there are any, the thread runs */
    bool running;
    bool leaving; /* the thread is asked to end, and the last user waits for it */
    bool work;
    struct desk_side *streams;
    struct listing listing;
    bool initialised; /* PortAudio; the desk thread's alone */
} desk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* --- callbacks: no lock, no allocation, no system call ------------------------------------ */

static int on_capture(const void *in, void *out, unsigned long frames,
                      const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags, void *user)
{
    struct stream *s = user;
    (void)out;
    (void)time;
    (void)flags;
    if (in) {
        ring_write(s->ring, in, frames * atomic_load_explicit(&s->channels, memory_order_relaxed));
    }
    atomic_store_explicit(&s->period_frames, (unsigned)frames, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->periods, 1, memory_order_relaxed);
    return paContinue;
}

static int on_playback(const void *in, void *out, unsigned long frames,
                       const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags,
                       void *user)
{
    struct stream *s = user;
    (void)in;
    (void)time;
    (void)flags;
    size_t samples = frames * atomic_load_explicit(&s->channels, memory_order_relaxed);
    size_t there = ring_read(s->ring, out, samples);
    if (there < samples) {
        memset((int16_t *)out + there, 0, (samples - there) * sizeof(int16_t));
        atomic_fetch_add_explicit(&s->underruns, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&s->period_frames, (unsigned)frames, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->periods, 1, memory_order_relaxed);
    return paContinue;
}

static void on_finished(void *user)
{
    struct stream *s = user;
    atomic_store(&s->finished, true);
}

/* --- desk thread: PortAudio --------------------------------------------------------------- */

static bool initialise(void)
{
    if (!desk.initialised) {
        desk.initialised = Pa_Initialize() == paNoError;
    }
    return desk.initialised;
}

static void terminate(void)
{
    if (desk.initialised) {
        Pa_Terminate();
        desk.initialised = false;
    }
}

static bool any_open(void)
{
    bool open = false;
    pthread_mutex_lock(&desk.mutex);
    for (struct desk_side *d = desk.streams; d; d = d->next) {
        open |= d->handle != NULL;
    }
    pthread_mutex_unlock(&desk.mutex);
    return open;
}

/* New devices are seen by a fresh PortAudio only, and open streams do not survive that. */
static bool initialise_again(void)
{
    if (!any_open()) {
        terminate();
    }
    return initialise();
}

static PaDeviceIndex find_device(const struct stream *s)
{
    if (!*s->name) {
        return s->capture ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice();
    }
    PaDeviceIndex count = Pa_GetDeviceCount();
    for (PaDeviceIndex i = 0; i < count; i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        int channels = s->capture ? info->maxInputChannels : info->maxOutputChannels;
        if (channels > 0 && strcmp(info->name, s->name) == 0) {
            return i;
        }
    }
    return paNoDevice;
}

static bool open_as(struct desk_side *d, PaStreamParameters *parameters, double rate)
{
    struct stream *s = d->stream;
    unsigned long period = (unsigned long)rate / PERIODS_PER_SECOND;
    atomic_store(&s->channels, (uint32_t)parameters->channelCount);
    atomic_store(&s->period_frames, (unsigned)period);
    PaError error =
        Pa_OpenStream(&d->handle, s->capture ? parameters : NULL, s->capture ? NULL : parameters,
                      rate, period, paNoFlag, s->capture ? on_capture : on_playback, s);
    if (error != paNoError) {
        d->handle = NULL;
        return false;
    }
    Pa_SetStreamFinishedCallback(d->handle, on_finished);
    if (Pa_StartStream(d->handle) != paNoError) {
        Pa_CloseStream(d->handle);
        d->handle = NULL;
        return false;
    }
    const PaStreamInfo *info = Pa_GetStreamInfo(d->handle);
    double latency = s->capture ? info->inputLatency : info->outputLatency;
    atomic_store(&s->latency, (int64_t)(latency * (double)USEC_PER_SEC));
    atomic_store(&s->rate, (uint32_t)rate);
    return true;
}

static bool open_device(struct desk_side *d, PaDeviceIndex device)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    int channels = d->stream->capture ? info->maxInputChannels : info->maxOutputChannels;
    PaStreamParameters parameters = {
        .device = device, .sampleFormat = paInt16, .suggestedLatency = LATENCY};
    for (int i = 0; i < CANDIDATES; i++) {
        double rate = i < CANDIDATES / 2 ? RATE : info->defaultSampleRate;
        parameters.channelCount = i % 2 + 1;
        if (parameters.channelCount <= channels && open_as(d, &parameters, rate)) {
            return true;
        }
    }
    return false;
}

static void open_stream(struct desk_side *d)
{
    struct stream *s = d->stream;
    bool again = atomic_load(&s->state) == STREAM_LOST;
    struct quiet quiet;
    quiet_begin(&quiet);
    atomic_store(&s->finished, false);
    bool ready = again ? initialise_again() : initialise();
    PaDeviceIndex device = ready ? find_device(s) : paNoDevice;
    bool open = device != paNoDevice && open_device(d, device);
    quiet_end(&quiet);
    usec now = clock_now();
    d->retry_at = now + RETRY;
    d->periods_seen = atomic_load(&s->periods);
    d->periods_seen_at = now;
    if (open) {
        atomic_fetch_add(&s->opened, 1);
    }
    atomic_store(&s->state, open ? STREAM_OPEN : STREAM_LOST);
}

static void close_stream(struct desk_side *d, enum stream_state state)
{
    struct quiet quiet;
    atomic_store(&d->stream->state, state);
    quiet_begin(&quiet);
    Pa_AbortStream(d->handle);
    Pa_CloseStream(d->handle);
    quiet_end(&quiet);
    d->handle = NULL;
    d->retry_at = clock_now() + RETRY;
}

static void watch_stream(struct desk_side *d)
{
    usec now = clock_now();
    unsigned periods = atomic_load(&d->stream->periods);
    if (periods != d->periods_seen) {
        d->periods_seen = periods;
        d->periods_seen_at = now;
    }
    if (atomic_load(&d->stream->finished) || Pa_IsStreamActive(d->handle) != 1 ||
        now - d->periods_seen_at > SILENT) {
        close_stream(d, STREAM_LOST);
    }
}

/* --- desk thread: the list of devices ----------------------------------------------------- */

static bool fill_device(jingle_audio_device *out, PaDeviceIndex i)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
    const PaHostApiInfo *system = Pa_GetHostApiInfo(info->hostApi);
    char *name = strdup(info->name);
    char *system_name = strdup(system->name);
    *out = (jingle_audio_device){
        .name = name,
        .system = system_name,
        .capture_channels = (uint32_t)info->maxInputChannels,
        .playback_channels = (uint32_t)info->maxOutputChannels,
        .default_capture = i == Pa_GetDefaultInputDevice(),
        .default_playback = i == Pa_GetDefaultOutputDevice(),
    };
    return name && system_name;
}

static jingle_status list_devices(jingle_audio_device **devices, size_t *count)
{
    if (!initialise_again()) {
        return JINGLE_ERROR_DEVICE;
    }
    PaDeviceIndex all = Pa_GetDeviceCount();
    if (all < 0) {
        return JINGLE_ERROR_DEVICE;
    }
    jingle_audio_device *list = calloc((size_t)all + 1, sizeof *list);
    for (PaDeviceIndex i = 0; list && i < all; i++) {
        if (!fill_device(&list[i], i)) {
            jingle_audio_devices_free(list, (size_t)i + 1);
            list = NULL;
        }
    }
    *devices = list;
    *count = list ? (size_t)all : 0;
    return list ? JINGLE_OK : JINGLE_ERROR_MEMORY;
}

static void answer_listing(void)
{
    struct quiet quiet;
    struct listing result = {.done = true};
    quiet_begin(&quiet);
    result.status = list_devices(&result.devices, &result.count);
    quiet_end(&quiet);
    pthread_mutex_lock(&desk.mutex);
    desk.listing = result;
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
}

/* --- desk thread: its round --------------------------------------------------------------- */

/* With the mutex held, which is let go meanwhile: brings a stream to what is wanted of it. */
static void serve(struct desk_side *d)
{
    bool wanted = d->wanted && !d->dying;
    pthread_mutex_unlock(&desk.mutex);
    if (d->handle && !wanted) {
        close_stream(d, STREAM_CLOSED);
    } else if (d->handle) {
        watch_stream(d);
    } else if (!wanted) {
        atomic_store(&d->stream->state, STREAM_CLOSED);
        d->retry_at = 0;
    } else if (clock_now() >= d->retry_at) {
        open_stream(d);
    }
    pthread_mutex_lock(&desk.mutex);
}

/* With the mutex held. Streams are put into and taken off the list by others only while it is held,
 * and none is taken off before it was served as a dying one. */
static void serve_all(void)
{
    struct desk_side **at = &desk.streams;
    while (*at) {
        struct desk_side *d = *at;
        serve(d);
        if (d->dying && !d->handle) {
            for (at = &desk.streams; *at != d; at = &(*at)->next) {
            }
            *at = d->next;
            d->stream->desk = NULL;
            pthread_cond_broadcast(&desk.changed);
            free(d);
        } else {
            at = &d->next;
        }
    }
}

/* With the mutex held: while a stream should be open somebody must look after it. */
static void wait_for_work(void)
{
    bool watching = false;
    for (struct desk_side *d = desk.streams; d; d = d->next) {
        watching |= d->wanted;
    }
    if (!watching) {
        pthread_cond_wait(&desk.changed, &desk.mutex);
        return;
    }
    usec until = clock_now() + WATCH;
    struct timespec at = {.tv_sec = until / USEC_PER_SEC, .tv_nsec = until % USEC_PER_SEC * 1000};
    pthread_cond_clockwait(&desk.changed, &desk.mutex, CLOCK_MONOTONIC, &at);
}

static void *run_desk(void *user)
{
    (void)user;
    pthread_mutex_lock(&desk.mutex);
    while (!desk.leaving) {
        desk.work = false;
        serve_all();
        if (desk.listing.asked) {
            desk.listing.asked = false;
            pthread_mutex_unlock(&desk.mutex);
            answer_listing();
            pthread_mutex_lock(&desk.mutex);
        }
        if (!desk.work && !desk.leaving) {
            wait_for_work();
        }
    }
    pthread_mutex_unlock(&desk.mutex);
    struct quiet quiet;
    quiet_begin(&quiet);
    terminate();
    quiet_end(&quiet);
    return NULL;
}

/* --- everybody's side --------------------------------------------------------------------- */

/* With the mutex held. */
static void wake_desk(void)
{
    desk.work = true;
    pthread_cond_broadcast(&desk.changed);
}

static bool desk_enter(void)
{
    pthread_mutex_lock(&desk.mutex);
    while (desk.leaving) {
        pthread_cond_wait(&desk.changed, &desk.mutex);
    }
    if (!desk.running) {
        /* sound systems write to sockets of daemons that may die: their threads get no signals */
        desk.running = thread_start(&desk.thread, NULL, run_desk, NULL);
    }
    bool entered = desk.running;
    desk.users += entered;
    pthread_mutex_unlock(&desk.mutex);
    return entered;
}

static void desk_leave(void)
{
    pthread_mutex_lock(&desk.mutex);
    bool last = --desk.users == 0;
    if (last) {
        desk.leaving = true;
        wake_desk();
    }
    pthread_mutex_unlock(&desk.mutex);
    if (!last) {
        return;
    }
    pthread_join(desk.thread, NULL);
    pthread_mutex_lock(&desk.mutex);
    desk.running = false;
    desk.leaving = false;
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
}

struct stream *stream_new(bool capture, const char *name)
{
    struct stream *s = calloc(1, sizeof *s);
    struct desk_side *d = calloc(1, sizeof *d);
    char *copy = strdup(name ? name : "");
    struct ring *ring = ring_new(RING_SAMPLES);
    if (!s || !d || !copy || !ring || !desk_enter()) {
        free(s);
        free(d);
        free(copy);
        ring_free(ring);
        return NULL;
    }
    s->capture = capture;
    s->name = copy;
    s->ring = ring;
    s->desk = d;
    d->stream = s;
    pthread_mutex_lock(&desk.mutex);
    d->next = desk.streams;
    desk.streams = d;
    pthread_mutex_unlock(&desk.mutex);
    return s;
}

void stream_free(struct stream *s)
{
    pthread_mutex_lock(&desk.mutex);
    s->desk->dying = true;
    wake_desk();
    while (s->desk) {
        pthread_cond_wait(&desk.changed, &desk.mutex);
    }
    pthread_mutex_unlock(&desk.mutex);
    desk_leave();
    ring_free(s->ring);
    free(s->name);
    free(s);
}

void stream_want(struct stream *s, bool open)
{
    pthread_mutex_lock(&desk.mutex);
    s->desk->wanted = open;
    wake_desk();
    pthread_mutex_unlock(&desk.mutex);
}

jingle_status jingle_audio_devices(jingle_audio_device **devices, size_t *count)
{
    if (!devices || !count) {
        return JINGLE_ERROR_INVALID;
    }
    *devices = NULL;
    *count = 0;
    if (!desk_enter()) {
        return JINGLE_ERROR_LIMIT;
    }
    pthread_mutex_lock(&desk.mutex);
    while (desk.listing.asked || desk.listing.done) { /* somebody else's */
        pthread_cond_wait(&desk.changed, &desk.mutex);
    }
    desk.listing.asked = true;
    wake_desk();
    while (!desk.listing.done) {
        pthread_cond_wait(&desk.changed, &desk.mutex);
    }
    jingle_status status = desk.listing.status;
    *devices = desk.listing.devices;
    *count = desk.listing.count;
    desk.listing = (struct listing){0};
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
    desk_leave();
    return status;
}

void jingle_audio_devices_free(jingle_audio_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)devices[i].name);
        free((char *)devices[i].system);
    }
    free(devices);
}
