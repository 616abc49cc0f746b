#include "rtp/sync.h"

#include "rtp/ntp.h"

void sync_clock_report(struct sync_clock *clock, uint32_t ssrc, const struct rtcp_sender *report)
{
    if (report->ntp == 0) {
        return; /* a sender without a clock (RFC 3550, section 6.4.1) */
    }
    clock->known = true;
    clock->ssrc = ssrc;
    clock->timestamp = report->timestamp;
    clock->moment = ntp_to_usec(report->ntp);
}

bool sync_clock_moment(const struct sync_clock *clock, uint32_t ssrc, uint32_t timestamp,
                       uint32_t rate, usec *moment)
{
    if (!clock->known || clock->ssrc != ssrc || rate == 0) {
        return false;
    }
    int64_t units = (int32_t)(timestamp - clock->timestamp);
    *moment = clock->moment + units * USEC_PER_SEC / rate;
    return true;
}
