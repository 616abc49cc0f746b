/* Sends one file to somebody. It needs nothing but the installed library:
 *
 *     cc send_file.c -o send_file $(pkg-config --cflags --libs jingle-engine)
 *     PASSWORD=secret ./send_file alice@example.org bob@example.org photo.jpg
 *
 * HOST, PORT, CA_FILE and LAB_LOOPBACK in the environment are for a private server. */
#include <jingle/jingle.h>
#include <stdio.h>
#include <stdlib.h>

static jingle_client *client_new(const char *jid)
{
    const char *port = getenv("PORT");
    jingle_client_config config;
    jingle_client *client = NULL;
    jingle_client_config_init(&config);
    config.jid = jid;
    config.password = getenv("PASSWORD");
    config.host = getenv("HOST");
    config.port = (uint16_t)(port ? strtoul(port, NULL, 10) : 0);
    config.ca_file = getenv("CA_FILE");
    config.lab_loopback = getenv("LAB_LOOPBACK") != NULL;
    jingle_status status = jingle_client_new(&config, &client);
    if (status == JINGLE_OK) {
        status = jingle_client_connect(client);
    }
    if (status != JINGLE_OK) {
        fprintf(stderr, "%s\n", jingle_strerror(status));
    }
    return client;
}

static jingle_transfer *offer(jingle_client *client, const char *to, const char *path)
{
    jingle_file_source file;
    jingle_transfer *transfer = NULL;
    jingle_file_source_init(&file);
    file.path = path;
    jingle_status status = jingle_transfer_offer(client, to, &file, 1, NULL, &transfer);
    if (status != JINGLE_OK) {
        fprintf(stderr, "%s: %s\n", path, jingle_strerror(status));
    }
    return transfer;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "send_file YOUR-JID THEIR-JID FILE\n");
        return 2;
    }
    jingle_client *client = client_new(argv[1]);
    jingle_transfer *transfer = NULL;
    const jingle_event *event = NULL;
    int result = client ? -1 : 1;
    while (result < 0 && (event = jingle_client_wait(client, -1))) {
        if (event->type == JINGLE_EVENT_TRANSFER_PROGRESS) {
            printf("%llu of %llu bytes\n", (unsigned long long)event->u.transfer.bytes_done,
                   (unsigned long long)event->u.transfer.bytes_total);
        } else if (*event->text) {
            printf("%s\n", event->text); /* such as "They went offline." */
        }
        if (event->type == JINGLE_EVENT_ONLINE && !transfer) {
            transfer = offer(client, argv[2], argv[3]);
            result = transfer ? -1 : 1;
        } else if (event->type == JINGLE_EVENT_OFFLINE && !event->u.offline.will_retry) {
            result = 1;
        } else if (event->type == JINGLE_EVENT_TRANSFER_ENDED) {
            result = event->status == JINGLE_OK ? 0 : 1;
        }
    }
    jingle_transfer_unref(transfer);
    jingle_client_free(client);
    return result;
}
