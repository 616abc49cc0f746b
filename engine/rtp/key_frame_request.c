#include "rtp/key_frame_request.h"

void key_frame_request_want(struct key_frame_request *request)
{
    request->wanted = true;
}

bool key_frame_request_due(struct key_frame_request *request, usec round_trip, usec now)
{
    if (!request->wanted || now < request->next) {
        return false;
    }
    usec interval = request->interval;
    interval = interval < KEY_FRAME_REQUEST_LEAST ? KEY_FRAME_REQUEST_LEAST : interval;
    request->interval = 2 * interval;
    interval = interval < round_trip * 3 / 2 ? round_trip * 3 / 2 : interval;
    interval = interval > KEY_FRAME_REQUEST_MOST ? KEY_FRAME_REQUEST_MOST : interval;
    request->interval =
        request->interval > KEY_FRAME_REQUEST_MOST ? KEY_FRAME_REQUEST_MOST : request->interval;
    request->next = now + interval;
    return true;
}

void key_frame_request_came(struct key_frame_request *request)
{
    request->wanted = false;
}

void key_frame_request_good(struct key_frame_request *request)
{
    if (!request->wanted) {
        request->interval = 0;
    }
}

usec key_frame_request_deadline(const struct key_frame_request *request)
{
    return request->wanted ? request->next : USEC_NEVER;
}
