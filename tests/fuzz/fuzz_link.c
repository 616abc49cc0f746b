/* RTP and RTCP of a hostile peer at both ends of a link, with media sent and time passing between.
 *
 *     input: records of   how (1 byte: RTCP bit, milliseconds that pass before) | length (1) |
 * packet
 */
#include "rtp/downlink.h"
#include "rtp/packet.h"
#include "rtp/uplink.h"

#include <stdlib.h>

#define RTCP_BIT     0x80
#define ID_TRANSPORT 3
#define ID_SEND_TIME 4
#define FRAME_EVERY  33
#define FRAME_MAX    20000 /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct link {
    struct uplink *uplink;
    struct downlink *downlink;
    unsigned audio, video;
    uint16_t sequence;
    usec now;
    unsigned ms;
};

static void drop(void *user, uint8_t *packet, size_t bytes)
{
    (void)user;
    if (bytes > UPLINK_PACKET_MAX) {
        abort();
    }
    packet[bytes + UPLINK_TAIL - 1] = 0; /* the tail is there */
}

static size_t write_packet(struct link *link, uint8_t *out, size_t payload)
{
    static const uint8_t zeros[3];
    const struct packet_extension extensions[] = {
        {.id = ID_TRANSPORT, .data = zeros, .size = 2},
        {.id = ID_SEND_TIME, .data = zeros, .size = 3},
    };
    struct packet_header header = {.payload_type = 96,
                                   .sequence = link->sequence++,
                                   .ssrc = 1,
                                   .extensions = extensions,
                                   .extension_count = 2};
    return packet_write_header(&header, out, UPLINK_PACKET_MAX) + payload;
}

static void enqueue(struct link *link, enum uplink_kind kind, size_t payload)
{
    uint8_t packet[UPLINK_PACKET_MAX] = {0};
    size_t size = write_packet(link, packet, payload);
    uplink_enqueue(link->uplink, link->video, kind, packet, size, 0, link->now);
}

static void pad(void *user, size_t bytes, usec now)
{
    (void)now;
    enqueue(user, UPLINK_PADDING, bytes < 1000 ? bytes : 1000);
}

static bool open_link(struct link *link)
{
    struct uplink_config up = {.hooks = {.user = link, .send_rtp = drop}};
    struct downlink_config down = {
        .cname = "fuzz",
        .transport_feedback = true,
        .remb = true,
        .hooks = {.user = link, .send_rtcp = drop},
    };
    struct uplink_stream audio = {.transport_sequence = ID_TRANSPORT};
    struct uplink_stream video = {.transport_sequence = ID_TRANSPORT,
                                  .send_time = ID_SEND_TIME,
                                  .paced = true,
                                  .user = link,
                                  .pad = pad};
    *link = (struct link){.now = USEC_PER_SEC};
    return uplink_new(&up, &link->uplink) == JINGLE_OK &&
           downlink_new(&down, &link->downlink) == JINGLE_OK &&
           uplink_add_stream(link->uplink, &audio, &link->audio) == JINGLE_OK &&
           uplink_add_stream(link->uplink, &video, &link->video) == JINGLE_OK;
}

static void send_media(struct link *link)
{
    uint8_t packet[200 + UPLINK_TAIL] = {0};
    if (link->ms % 20 == 0) {
        size_t size = write_packet(link, packet, 80);
        uplink_send_audio(link->uplink, link->audio, packet, size, link->now);
    }
    if (link->ms % FRAME_EVERY == 0) {
        struct uplink_target target;
        uplink_target(link->uplink, &target);
        size_t frame = target.video / 8 / 30;
        frame = frame < FRAME_MAX ? frame : FRAME_MAX;
        for (; frame > 0; frame -= frame < 1000 ? frame : 1000) {
            enqueue(link, UPLINK_NEW, frame < 1000 ? frame : 1000);
        }
    }
}

static void pass_time(struct link *link, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++, link->ms++) {
        link->now += USEC_PER_MS;
        send_media(link);
        if (link->now >= uplink_next_deadline(link->uplink)) {
            uplink_tick(link->uplink, link->now);
        }
        downlink_tick(link->downlink, link->now);
    }
}

static void receive(struct link *link, bool rtcp, const uint8_t *data, size_t size)
{
    static const struct downlink_stream stream = {
        .transport_sequence = ID_TRANSPORT, .send_time = ID_SEND_TIME, .clockrate = 90000};
    struct rtcp_reader reader;
    struct rtcp_message message;
    struct packet packet;
    if (!rtcp && packet_parse(&packet, data, size)) {
        downlink_receive(link->downlink, &stream, &packet, size, link->now);
    }
    if (rtcp && rtcp_open(&reader, data, size)) {
        while (rtcp_next(&reader, &message)) {
            uplink_receive_rtcp(link->uplink, &message, link->now);
        }
    }
}

static void check_figures(const struct link *link)
{
    struct uplink_stats stats;
    uplink_stats(link->uplink, &stats);
    if (stats.estimate < UPLINK_LEAST || stats.estimate > UPLINK_MOST || stats.loss < 0 ||
        stats.loss > 1 || stats.round_trip < -1 || stats.queue_time < 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct link link;
    const uint8_t *end = data + size;
    bool open = open_link(&link);
    if (open) {
        uplink_set_wanted(link.uplink, 1000000, link.now);
    }
    while (open && end - data >= 2) {
        uint8_t how = data[0];
        size_t length = data[1];
        data += 2;
        length = length < (size_t)(end - data) ? length : (size_t)(end - data);
        pass_time(&link, how & (RTCP_BIT - 1));
        receive(&link, how & RTCP_BIT, data, length);
        check_figures(&link);
        data += length;
    }
    uplink_free(link.uplink);
    downlink_free(link.downlink);
    return 0;
}
