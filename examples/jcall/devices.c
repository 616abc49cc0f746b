/* jcall devices */
#include "command.h"
#include "exit.h"

/* A build without cameras has none to tell of. */
static void devices_tell_cameras(struct teller *teller)
{
    jingle_camera *cameras = NULL;
    size_t count = 0;
    if (jingle_cameras(&cameras, &count) != JINGLE_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tell_camera(teller, &cameras[i]);
    }
    jingle_cameras_free(cameras, count);
    if (count == 0) {
        tell_note(teller, "There is no camera here.");
    }
}

int command_devices(const struct options *options, struct teller *teller)
{
    if (g_strv_length(options->words) != 1) {
        return tell_exit(teller, EXIT_USAGE, "jcall devices takes no further word.");
    }
    devices_tell_cameras(teller);
    jingle_audio_device *devices = NULL;
    size_t count = 0;
    jingle_status status = jingle_audio_devices(&devices, &count);
    if (status != JINGLE_OK) {
        return tell_exit(teller, exit_for_status(status), jingle_strerror(status));
    }
    for (size_t i = 0; i < count; i++) {
        tell_device(teller, &devices[i]);
    }
    jingle_audio_devices_free(devices, count);
    if (count == 0) {
        return tell_exit(teller, EXIT_DEVICE,
                         "There is no sound device here. Is your user in the group \"audio\"? With "
                         "PulseAudio or PipeWire, is libasound2-plugins installed?");
    }
    return tell_exit(teller, EXIT_OK, "");
}
