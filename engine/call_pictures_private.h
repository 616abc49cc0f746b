/* What call_pictures.c (their life) and call_pictures_news.c (what their threads say) share. */
#ifndef JINGLE_ENGINE_CALL_PICTURES_PRIVATE_H
#define JINGLE_ENGINE_CALL_PICTURES_PRIVATE_H

#include "call_gate.h"
#include "call_pictures.h"
#include "media/video_capture.h"
#include "media/video_render.h"

struct call_pictures {
    struct call *call;
    struct call_transport *transport;
    char *content;
    struct call_gate *gate;
    struct call_video_identity identity;
    jingle_video_config settings; /* sizes and rates; the rest is given away */
    struct video *video;
    struct video_capture *capture; /* NULL: no source came yet */
    struct video_render *render;   /* NULL: no sink came yet */
    const struct video_codec *codec;
    const char *codec_received; /* its name; "" while unknown */
    bool has_source;
    bool may_send;   /* by the content's `senders` */
    bool we_receive; /* the same */
    bool muted;
    bool peer_mutes;
    bool sends; /* all of it together, as the video was told */
    bool hears;
    bool lossy;
    usec next_look;
};

/* For these threads; `user` is the pictures. */
struct video_capture_hooks call_pictures_capture_hooks(struct call_pictures *pictures);
struct video_render_hooks call_pictures_render_hooks(struct call_pictures *pictures);

#endif
