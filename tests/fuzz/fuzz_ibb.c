/* An in-band stream with a hostile peer: blocks in any order and size, acknowledgements of
 * anything. What was received is in order, what is acknowledged was sent, and the windows hold. */
#include "transfer/ibb.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the receiver must come to: blocks count only without a gap. */
struct model {
    uint64_t blocks;
    uint64_t bytes;
};

static void take(struct ibb_receiver *receiver, struct model *model, uint32_t seq, size_t size)
{
    bool was_closed = receiver->closed;
    enum ibb_verdict verdict = ibb_receiver_take(receiver, seq, size);
    if (verdict == IBB_NEXT) {
        if (was_closed || (uint16_t)seq != (uint16_t)model->blocks || size > receiver->block_size)
            abort();
        model->blocks++;
        model->bytes += size;
    } else if (verdict != IBB_DUPLICATE && !receiver->closed) {
        abort();
    }
    if (receiver->held > IBB_HELD_MAX || receiver->received != model->bytes)
        abort();
}

static void check_sender(const struct ibb_sender *sender)
{
    if (sender->count > sender->window || sender->acked > sender->sent ||
        sender->flying > sender->window * sender->block_size || sender->allowed == 0 ||
        ibb_sender_room(sender) > IBB_BLOCK_MAX ||
        (ibb_sender_idle(sender) && ibb_sender_deadline(sender) != USEC_NEVER))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ibb_sender sender;
    struct ibb_receiver receiver;
    struct model model = {0};
    if (size < 4)
        return 0;
    ibb_sender_init(&sender, (size_t)(data[0] << 8 | data[1]), data[2]);
    ibb_receiver_init(&receiver, (size_t)(data[0] << 8 | data[1]));
    for (size_t i = 3; i + 3 < size; i += 4) {
        uint32_t seq = (uint32_t)(data[i + 1] << 8 | data[i + 2]);
        size_t room = ibb_sender_room(&sender);
        switch (data[i] % 7) {
        case 0:
            take(&receiver, &model, seq, data[i + 3]);
            break;
        case 1: /* the right one */
            take(&receiver, &model, receiver.next + 65536U * data[i + 3], seq);
            break;
        case 2:
            ibb_receiver_written(&receiver);
            break;
        case 3:
            if (room > 0)
                ibb_sender_sent(&sender, 1 + seq % room, (usec)(i * 50000));
            break;
        case 4:
            ibb_sender_acked(&sender, (uint16_t)seq, (usec)(i * 50000));
            break;
        case 5:
            ibb_sender_acked(&sender, (uint16_t)(sender.next - 1 - data[i + 3] % 20),
                             (usec)(i * 50000));
            break;
        default:
            if (data[i + 3] == 1)
                ibb_receiver_close(&receiver);
            if (data[i + 3] == 2)
                ibb_sender_break(&sender);
        }
        check_sender(&sender);
    }
    return 0;
}
