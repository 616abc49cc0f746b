/* jcall devices */
#include "command.h"
#include "exit.h"

int command_devices(const struct options *options, struct teller *teller)
{
    if (g_strv_length(options->words) != 1) {
        return tell_exit(teller, EXIT_USAGE, "jcall devices takes no further word.");
    }
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
