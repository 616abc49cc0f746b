#include "transfer/file_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#define GROUP "file"

/* More than anything that we write. */
enum { TEXT_MAX = 16 * 1024 };

bool file_identity_is_known(const struct file_identity *identity)
{
    return identity->date != 0 || identity->hash_count > 0;
}

void file_identity_key(const struct file_identity *identity, char out[FILE_KEY_SIZE])
{
    char *text = g_strdup_printf("%s\n%" G_GUINT64_FORMAT "\n%s", identity->peer, identity->size,
                                 identity->name);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA1, text, -1);
    g_strlcpy(out, sum, FILE_KEY_SIZE);
    g_free(sum);
    g_free(text);
}

static char *to_text(const struct file_identity *identity, gsize *length)
{
    char hash[HASH_BASE64_MAX];
    GKeyFile *keys = g_key_file_new();
    g_key_file_set_string(keys, GROUP, "peer", identity->peer);
    g_key_file_set_string(keys, GROUP, "name", identity->name);
    g_key_file_set_uint64(keys, GROUP, "size", identity->size);
    g_key_file_set_int64(keys, GROUP, "date", identity->date);
    for (size_t i = 0; i < identity->hash_count; i++) {
        hash_to_base64(&identity->hashes[i], hash);
        g_key_file_set_string(keys, GROUP, hash_name(identity->hashes[i].algorithm), hash);
    }
    char *text = g_key_file_to_data(keys, length, NULL);
    g_key_file_free(keys);
    return text;
}

enum transfer_status file_identity_write(const struct file_identity *identity, int folder,
                                         const char *name)
{
    gsize length;
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return transfer_status_of(errno, TRANSFER_WRITE);
    }
    char *text = to_text(identity, &length);
    errno = ENOSPC; /* what a short count means */
    bool written = write(fd, text, length) == (ssize_t)length;
    enum transfer_status status = written ? TRANSFER_OK : transfer_status_of(errno, TRANSFER_WRITE);
    g_free(text);
    close(fd);
    return status;
}

static GKeyFile *read_keys(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    char *text = g_malloc(TEXT_MAX);
    ssize_t length = read(fd, text, TEXT_MAX);
    close(fd);
    GKeyFile *keys = g_key_file_new();
    if (length <= 0 ||
        !g_key_file_load_from_data(keys, text, (gsize)length, G_KEY_FILE_NONE, NULL)) {
        g_key_file_free(keys);
        keys = NULL;
    }
    g_free(text);
    return keys;
}

static bool says(GKeyFile *keys, const char *key, const char *value)
{
    char *found = g_key_file_get_string(keys, GROUP, key, NULL);
    bool same = g_strcmp0(found, value) == 0;
    g_free(found);
    return same;
}

/* False if a hash differs; `*known` becomes true if one was told both times. */
static bool hashes_agree(const struct file_identity *identity, GKeyFile *keys, bool *known)
{
    char hash[HASH_BASE64_MAX];
    for (size_t i = 0; i < identity->hash_count; i++) {
        const char *name = hash_name(identity->hashes[i].algorithm);
        if (!g_key_file_has_key(keys, GROUP, name, NULL)) {
            continue;
        }
        hash_to_base64(&identity->hashes[i], hash);
        if (!says(keys, name, hash)) {
            return false;
        }
        *known = true;
    }
    return true;
}

bool file_identity_is_in(const struct file_identity *identity, int folder, const char *name)
{
    GKeyFile *keys = read_keys(folder, name);
    if (!keys) {
        return false;
    }
    bool known = identity->date != 0;
    bool same = says(keys, "peer", identity->peer) && says(keys, "name", identity->name) &&
                g_key_file_get_uint64(keys, GROUP, "size", NULL) == identity->size &&
                g_key_file_get_int64(keys, GROUP, "date", NULL) == identity->date &&
                hashes_agree(identity, keys, &known);
    g_key_file_free(keys);
    return same && known;
}
