#include "rtp/frame_order.h"

#include <string.h>

#define TL0_CYCLE     256
#define HIGHER_LAYERS 0xfe /* all but 0 */

void frame_order_reset(struct frame_order *order)
{
    memset(order, 0, sizeof *order);
    order->picture_id = -1;
    order->tl0_index = -1;
}

/* How many pictures after the last one; 0 if that cannot be known. */
static int pictures_after(const struct frame_order *order, const struct video_payload *head)
{
    if (order->picture_id < 0 || head->picture_id < 0 || head->picture_bits == 0) {
        return 0;
    }
    int cycle = 1 << head->picture_bits;
    int after = (head->picture_id - order->picture_id) % cycle;
    after = after < 0 ? after + cycle : after;
    return after < cycle / 2 ? after : 0;
}

static bool was_handed_out(const struct frame_order *order, int back)
{
    return back >= 0 && back < FRAME_ORDER_HISTORY && (order->handed >> back & 1);
}

/* VP9's flexible mode names the frames that it needs. */
static enum frame_verdict judge_references(const struct frame_order *order,
                                           const struct video_payload *head, int after)
{
    for (unsigned i = 0; i < head->reference_count; i++) {
        if (!was_handed_out(order, head->references[i] - after)) {
            return FRAME_HOPELESS;
        }
    }
    return FRAME_SKIPS;
}

static enum frame_verdict judge_layer(const struct frame_order *order,
                                      const struct video_payload *head)
{
    if (head->temporal_layer == 0) {
        int next = (order->tl0_index + 1) % TL0_CYCLE;
        return head->tl0_index == next ? FRAME_SKIPS : FRAME_HOPELESS;
    }
    bool same_base = head->tl0_index == order->tl0_index;
    return same_base && head->layer_sync ? FRAME_SKIPS : FRAME_USELESS;
}

static bool needs_doubtful(const struct frame_order *order, const struct video_payload *head)
{
    unsigned lower = (2U << head->temporal_layer) - 1;
    return head->temporal_layer > 0 && !head->layer_sync && (order->doubtful & lower);
}

enum frame_verdict frame_order_judge(const struct frame_order *order,
                                     const struct whole_frame *frame, bool follows)
{
    const struct video_payload *head = &frame->head;
    if (head->key) {
        return follows || !order->begun || order->need_key ? FRAME_NEXT : FRAME_SKIPS;
    }
    if (!order->begun || order->need_key || order->codec != frame->codec) {
        return FRAME_HOPELESS;
    }
    if (needs_doubtful(order, head)) {
        return FRAME_USELESS;
    }
    int after = pictures_after(order, head);
    if (follows || after == 1) {
        return FRAME_NEXT;
    }
    if (head->flexible && after > 0) {
        return judge_references(order, head, after);
    }
    if (head->has_layer && head->tl0_index >= 0 && order->tl0_index >= 0) {
        return judge_layer(order, head);
    }
    return head->discardable ? FRAME_USELESS : FRAME_HOPELESS;
}

void frame_order_hand_out(struct frame_order *order, const struct whole_frame *frame,
                          enum frame_verdict verdict)
{
    const struct video_payload *head = &frame->head;
    int after = pictures_after(order, head);
    order->handed = after > 0 && after < FRAME_ORDER_HISTORY ? order->handed << after : 0;
    if (head->key) {
        order->handed = 0;
        order->need_key = false;
        order->begun = true;
        order->tl0_index = -1;
        order->doubtful = 0;
    } else if (verdict == FRAME_SKIPS) {
        order->doubtful = HIGHER_LAYERS;
    }
    if (head->layer_sync) {
        order->doubtful &= (uint8_t) ~(1U << head->temporal_layer);
    }
    order->handed |= 1;
    order->codec = frame->codec;
    order->last = frame->last;
    order->picture_id = head->picture_id;
    if (head->tl0_index >= 0 && (head->temporal_layer == 0 || head->key)) {
        order->tl0_index = head->tl0_index;
    }
}
