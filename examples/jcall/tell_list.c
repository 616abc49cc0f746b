/* What is told of things that come in lists: contacts, devices, findings. */
#include "teller.h"
#include "text.h"

void tell_contact(struct teller *teller, const jingle_contact *contact)
{
    if (teller->json) {
        teller_json(teller, json_own("contact", NULL, json_contact(contact)));
        return;
    }
    static const char *const subscriptions[] = {
        "not granted yet on either side",
        "you see them; they do not see you",
        "they see you; you do not see them",
        "mutual",
    };
    char *jid = text_clean(contact->jid, NAME_MAX_SHOWN);
    char *name = text_clean(contact->name, NAME_MAX_SHOWN);
    tell_note(teller, "%s%s%s%s: %s%s; %s", jid, *name ? " (" : "", name, *name ? ")" : "",
              subscriptions[contact->subscription & 3], contact->asked ? ", asked and waiting" : "",
              contact->callable ? "can be called now"
              : contact->online ? "online, but their client takes no encrypted calls"
                                : "offline");
    g_free(jid);
    g_free(name);
}

void tell_device(struct teller *teller, const jingle_audio_device *device)
{
    if (teller->json) {
        teller_json(teller, json_own("sound-device", NULL,
                                     json_pack("{sososisisbsb}", "name", json_text(device->name),
                                               "system", json_text(device->system),
                                               "capture_channels", (int)device->capture_channels,
                                               "playback_channels", (int)device->playback_channels,
                                               "default_capture", device->default_capture,
                                               "default_playback", device->default_playback)));
        return;
    }
    char *name = text_clean(device->name, NAME_MAX_SHOWN);
    char *system = text_clean(device->system, NAME_MAX_SHOWN);
    tell_note(
        teller, "%-40s %-6s %s%s%s%s", name, system, device->capture_channels ? "microphone" : "",
        device->default_capture    ? " (usual) "
        : device->capture_channels ? " "
                                   : "",
        device->playback_channels ? "loudspeaker" : "", device->default_playback ? " (usual)" : "");
    g_free(name);
    g_free(system);
}

void tell_camera(struct teller *teller, const jingle_camera *camera)
{
    if (teller->json) {
        teller_json(teller, json_own("camera", NULL,
                                     json_pack("{soso}", "path", json_text(camera->path), "name",
                                               json_text(camera->name))));
        return;
    }
    char *path = text_clean(camera->path, NAME_MAX_SHOWN);
    char *name = text_clean(camera->name, NAME_MAX_SHOWN);
    tell_note(teller, "%-40s %-6s camera", name, path);
    g_free(path);
    g_free(name);
}

void teller_say_check(struct teller *teller, const char *subject, bool good, const char *text,
                      const char *remedy)
{
    char *clean[] = {text_clean(subject, TEXT_MAX), text_clean(text, TEXT_MAX),
                     text_clean(remedy, TEXT_MAX)};
    tell_note(teller, "%s %s: %s", good ? "[good]" : "[BAD] ", clean[0], clean[1]);
    if (!good && *clean[2]) {
        tell_note(teller, "       To do: %s", clean[2]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(clean); i++) {
        g_free(clean[i]);
    }
}

void tell_check(struct teller *teller, const char *subject, bool good, const char *text,
                const char *remedy)
{
    if (teller->json) {
        teller_json(teller,
                    json_own("check", NULL,
                             json_pack("{sosbsoso}", "subject", json_text(subject), "good", good,
                                       "text", json_text(text), "remedy", json_text(remedy))));
        return;
    }
    teller_say_check(teller, subject, good, text, remedy);
}
