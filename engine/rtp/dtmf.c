#include "rtp/dtmf.h"

#define HELD         (100 * USEC_PER_MS) /* a key press; 40 ms would do (ITU-T Q.24) */
#define PAUSE        (60 * USEC_PER_MS)  /* between two; 40 ms would do */
#define ENDS         3                   /* RFC 4733, section 2.5.1.4 */
#define VOLUME       10                  /* -10 dBm0 */
#define EXPIRY       (250 * USEC_PER_MS) /* without a packet, the end was lost */
#define LONGEST_PART 0xffff              /* section 2.5.1.3 */

/* Nobody presses keys faster for long: what a flood has above it is not told. */
#define DIGIT_TIME  (50 * USEC_PER_MS)
#define DIGIT_BURST (64 * DIGIT_TIME)

bool dtmf_queue(struct dtmf_sender *sender, char digit)
{
    if (telephone_event_of(digit) < 0 || sender->count == DTMF_QUEUE_MAX) {
        return false;
    }
    sender->queue[(sender->first + sender->count++) % DTMF_QUEUE_MAX] = digit;
    return true;
}

static bool begin(struct dtmf_sender *sender, uint32_t timestamp, usec length)
{
    if (sender->pause > 0) {
        sender->pause -= length;
        return false;
    }
    if (sender->count == 0) {
        return false;
    }
    sender->active = true;
    sender->event = (uint8_t)telephone_event_of(sender->queue[sender->first]);
    sender->first = (sender->first + 1) % DTMF_QUEUE_MAX;
    sender->count--;
    sender->timestamp = timestamp;
    sender->held = 0;
    sender->ends_sent = 0;
    return true;
}

bool dtmf_send(struct dtmf_sender *sender, uint32_t timestamp, usec length, uint32_t rate,
               struct dtmf_packet *packet)
{
    if (!sender->active && !begin(sender, timestamp, length)) {
        return false;
    }
    packet->marker = sender->held == 0;
    packet->timestamp = sender->timestamp;
    if (sender->held < HELD) {
        sender->held += length;
    }
    bool end = sender->held >= HELD;
    telephone_event_pack(
        &(struct telephone_event){
            .event = sender->event,
            .end = end,
            .volume = VOLUME,
            .duration = (uint16_t)(sender->held * rate / USEC_PER_SEC),
        },
        packet->payload);
    if (end && ++sender->ends_sent == ENDS) {
        sender->active = false;
        sender->pause = PAUSE;
    }
    return true;
}

static usec span(uint16_t duration, uint32_t rate)
{
    return (usec)duration * USEC_PER_SEC / rate;
}

/* Ends the event that runs; true if it is told. */
static bool finish(struct dtmf_receiver *receiver, usec now, struct dtmf_digit *out)
{
    receiver->active = false;
    receiver->any_done = true;
    receiver->done = receiver->timestamp;
    if (receiver->credit < now) {
        receiver->credit = now;
    }
    if (receiver->credit - now > DIGIT_BURST) {
        return false;
    }
    receiver->credit += DIGIT_TIME;
    out->digit = telephone_event_digit(receiver->event);
    out->duration = receiver->duration_before + span(receiver->duration, receiver->rate);
    return true;
}

static bool is_old(const struct dtmf_receiver *receiver, uint32_t timestamp)
{
    if (receiver->active && (int32_t)(timestamp - receiver->timestamp) < 0) {
        return true;
    }
    return receiver->any_done && (int32_t)(timestamp - receiver->done) <= 0;
}

/* A key that is held longer than the field can tell goes on in another part. */
static bool goes_on(const struct dtmf_receiver *receiver, const struct telephone_event *event,
                    uint32_t timestamp)
{
    return receiver->event == event->event && receiver->duration == LONGEST_PART &&
           timestamp == receiver->timestamp + LONGEST_PART;
}

static void take_up(struct dtmf_receiver *receiver, const struct telephone_event *event,
                    uint32_t timestamp, uint32_t rate)
{
    receiver->active = true;
    receiver->event = event->event;
    receiver->timestamp = timestamp;
    receiver->rate = rate;
    receiver->duration = 0;
}

size_t dtmf_receive(struct dtmf_receiver *receiver, const struct telephone_event *event,
                    uint32_t timestamp, uint32_t rate, usec now, struct dtmf_digit out[2])
{
    size_t told = 0;
    if (telephone_event_digit(event->event) == '\0' || is_old(receiver, timestamp)) {
        return 0;
    }
    if (receiver->active && receiver->timestamp != timestamp) {
        if (goes_on(receiver, event, timestamp)) {
            receiver->duration_before += span(LONGEST_PART, receiver->rate);
            take_up(receiver, event, timestamp, rate);
        } else {
            told += finish(receiver, now, &out[told]);
        }
    }
    if (!receiver->active) {
        receiver->duration_before = 0;
        take_up(receiver, event, timestamp, rate);
    }
    receiver->last = now;
    if (event->duration > receiver->duration) {
        receiver->duration = event->duration;
    }
    if (event->end) {
        told += finish(receiver, now, &out[told]);
    }
    return told;
}

usec dtmf_deadline(const struct dtmf_receiver *receiver)
{
    return receiver->active ? receiver->last + EXPIRY : USEC_NEVER;
}

bool dtmf_expire(struct dtmf_receiver *receiver, usec now, struct dtmf_digit *out)
{
    return now >= dtmf_deadline(receiver) && finish(receiver, now, out);
}
