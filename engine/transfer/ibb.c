#include "transfer/ibb.h"

static size_t between(size_t low, size_t value, size_t high)
{
    if (value < low) {
        return low;
    }
    return value > high ? high : value;
}

void ibb_sender_init(struct ibb_sender *sender, size_t block_size, unsigned window)
{
    *sender = (struct ibb_sender){
        .block_size = between(1, block_size, IBB_BLOCK_MAX),
        .window = (unsigned)between(1, window, IBB_WINDOW_MAX),
    };
    sender->allowed = between(1, IBB_FLYING_LEAST, sender->block_size);
}

size_t ibb_sender_room(const struct ibb_sender *sender)
{
    if (sender->broken || sender->count == sender->window) {
        return 0;
    }
    if (sender->count == 0) {
        return between(1, sender->allowed, sender->block_size);
    }
    return sender->flying + sender->block_size <= sender->allowed ? sender->block_size : 0;
}

static struct ibb_flight *flight(struct ibb_sender *sender, unsigned number)
{
    return &sender->flights[(sender->first + number) % IBB_WINDOW_MAX];
}

uint16_t ibb_sender_sent(struct ibb_sender *sender, size_t size, usec now)
{
    uint16_t seq = sender->next++;
    *flight(sender, sender->count++) = (struct ibb_flight){.seq = seq, .size = size, .sent = now};
    sender->sent += size;
    sender->flying += size;
    return seq;
}

/* One measure, of a block that went out after the last time we slowed down. */
static void adapt(struct ibb_sender *sender, const struct ibb_flight *acked, usec now)
{
    usec delay = now - acked->sent;
    if (delay > IBB_DELAY_HIGH && acked->sent >= sender->slowed) {
        if (sender->allowed > IBB_FLYING_LEAST) {
            sender->allowed = between(IBB_FLYING_LEAST, sender->allowed / 2, sender->allowed);
        }
        sender->slowed = now;
    } else if (delay < IBB_DELAY_LOW) {
        size_t more =
            sender->slowed ? 1 + acked->size * acked->size / sender->allowed : acked->size;
        size_t blocks = sender->acked < IBB_TRIAL ? 1 : sender->window;
        size_t most = blocks * sender->block_size;
        sender->allowed = sender->allowed + more > most ? most : sender->allowed + more;
    }
}

bool ibb_sender_acked(struct ibb_sender *sender, uint16_t seq, usec now)
{
    unsigned number = (uint16_t)(seq - flight(sender, 0)->seq);
    if (sender->count == 0 || number >= sender->count || flight(sender, number)->acked) {
        return false;
    }
    flight(sender, number)->acked = true;
    sender->flying -= flight(sender, number)->size;
    adapt(sender, flight(sender, number), now);
    while (sender->count > 0 && flight(sender, 0)->acked) {
        sender->acked += flight(sender, 0)->size;
        sender->first = (sender->first + 1) % IBB_WINDOW_MAX;
        sender->count--;
    }
    return true;
}

void ibb_sender_break(struct ibb_sender *sender)
{
    sender->broken = true;
    sender->count = 0;
    sender->flying = 0;
}

bool ibb_sender_idle(const struct ibb_sender *sender)
{
    return sender->count == 0;
}

usec ibb_sender_deadline(const struct ibb_sender *sender)
{
    if (sender->count == 0) {
        return USEC_NEVER;
    }
    return sender->flights[sender->first].sent + IBB_ACKNOWLEDGE_LIMIT;
}

void ibb_receiver_init(struct ibb_receiver *receiver, size_t block_size)
{
    *receiver = (struct ibb_receiver){.block_size = between(1, block_size, IBB_BLOCK_MAX)};
}

static enum ibb_verdict judge(const struct ibb_receiver *receiver, uint32_t seq, size_t size)
{
    if (receiver->closed) {
        return IBB_CLOSED;
    }
    uint16_t ahead = (uint16_t)(seq - receiver->next);
    if (ahead != 0) {
        return ahead > UINT16_MAX / 2 ? IBB_DUPLICATE : IBB_LOST;
    }
    if (size > receiver->block_size) {
        return IBB_TOO_LARGE;
    }
    return receiver->held == IBB_HELD_MAX ? IBB_TOO_MANY : IBB_NEXT;
}

enum ibb_verdict ibb_receiver_take(struct ibb_receiver *receiver, uint32_t seq, size_t size)
{
    enum ibb_verdict verdict = judge(receiver, seq, size);
    if (verdict == IBB_NEXT) {
        receiver->next++;
        receiver->held++;
        receiver->received += size;
    } else if (verdict != IBB_DUPLICATE) {
        receiver->closed = true;
    }
    return verdict;
}

void ibb_receiver_written(struct ibb_receiver *receiver)
{
    if (receiver->held > 0) {
        receiver->held--;
    }
}

void ibb_receiver_close(struct ibb_receiver *receiver)
{
    receiver->closed = true;
}
