#include "transfer_sink.h"

#include "base/clock.h"
#include "signaling/jid.h"
#include "transfer/file_name.h"
#include "transfer/partial_file.h"
#include "transfer/partial_prune.h"
#include "transfer_hashes.h"
#include "transfer_status.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct transfer_sink {
    bool (*write)(void *user, const void *bytes, size_t count); /* the application's */
    void (*done)(void *user, bool whole);
    void *user;
    struct partial_file *file;
    struct memory_bytes memory;
};

void jingle_file_sink_init(jingle_file_sink *sink)
{
    if (sink) {
        *sink = (jingle_file_sink){.size = sizeof *sink};
    }
}

/* --------------------------------------------------------------- what the application gave -- */

static bool names_a_file(const char *path)
{
    char *name = g_path_get_basename(path);
    bool good = *path && !g_str_has_suffix(path, "/") && strcmp(name, ".") != 0 &&
                strcmp(name, "..") != 0 && strlen(name) < FILE_NAME_SIZE;
    g_free(name);
    return good;
}

static bool makes_sense(const jingle_file_sink *given)
{
    int kinds = (given->folder != NULL) + (given->path != NULL) + (given->memory_limit > 0) +
                (given->write != NULL);
    return kinds == 1 && (!given->folder || *given->folder) &&
           (!given->path || names_a_file(given->path));
}

/* Where the file will lie; NULL if it will not lie anywhere. g_free() it. */
static char *folder_of(const jingle_file_sink *given)
{
    if (given->folder) {
        return g_strdup(given->folder);
    }
    return given->path ? g_path_get_dirname(given->path) : NULL;
}

static jingle_status check_folder(const char *folder)
{
    GStatBuf found;
    if (g_stat(folder, &found) < 0) {
        return transfer_status_to_jingle(transfer_status_of(errno, TRANSFER_WRITE));
    }
    if (!S_ISDIR(found.st_mode)) {
        return JINGLE_ERROR_FILE_KIND;
    }
    return access(folder, W_OK | X_OK) == 0
               ? JINGLE_OK
               : transfer_status_to_jingle(transfer_status_of(errno, TRANSFER_WRITE));
}

jingle_status transfer_sink_read(const jingle_file_sink *from, jingle_file_sink *given)
{
    jingle_file_sink_init(given);
    if (!from || from->size == 0) {
        return JINGLE_ERROR_INVALID;
    }
    memcpy(given, from, MIN(from->size, sizeof *given));
    if (!makes_sense(given)) {
        return JINGLE_ERROR_INVALID;
    }
    char *folder = folder_of(given);
    jingle_status status = folder ? check_folder(folder) : JINGLE_OK;
    g_free(folder);
    return status;
}

void transfer_sink_given_copy(jingle_file_sink *to, const jingle_file_sink *from)
{
    *to = *from;
    to->folder = g_strdup(from->folder);
    to->path = g_strdup(from->path);
}

void transfer_sink_given_clear(jingle_file_sink *given)
{
    g_free((char *)given->folder);
    g_free((char *)given->path);
    *given = (jingle_file_sink){0};
}

void transfer_sink_given_end(const jingle_file_sink *given)
{
    if (given->write && given->done) {
        given->done(given->user, false);
    }
}

/* ------------------------------------------------------------------------------- opening -- */

static jingle_status open_file(struct transfer_sink *sink, const jingle_file_sink *given,
                               const char *peer, const struct file_description *file)
{
    char *folder = folder_of(given);
    char *bare = jid_bare(peer);
    char *name =
        given->path ? g_path_get_basename(given->path) : g_strdup(file->name ? file->name : "");
    struct file_identity identity = {
        .peer = bare, .name = name, .size = file->size, .date = file->date};
    identity.hash_count = transfer_hashes_read(file->hashes, file->hash_count, identity.hashes);
    enum transfer_status status;
    partial_prune(folder, clock_wall());
    sink->file = partial_file_open(folder, &identity, &status);
    if (sink->file && given->path) {
        partial_file_call(sink->file, name);
    }
    g_free(folder);
    g_free(bare);
    g_free(name);
    return transfer_status_to_jingle(status);
}

static jingle_status open_memory(struct transfer_sink *sink, const jingle_file_sink *given,
                                 const struct file_description *file)
{
    if (file->size > given->memory_limit || file->size > SIZE_MAX - 1) {
        return JINGLE_ERROR_LIMIT;
    }
    sink->memory.bytes = malloc((size_t)file->size + 1); /* none is no pointer to nothing */
    sink->memory.size = file->size;
    return sink->memory.bytes ? JINGLE_OK : JINGLE_ERROR_LIMIT;
}

jingle_status transfer_sink_open(const jingle_file_sink *given, const char *peer,
                                 const struct file_description *file, struct transfer_sink **sink)
{
    struct transfer_sink *made = g_new0(struct transfer_sink, 1);
    jingle_status status = JINGLE_OK;
    if (given->memory_limit > 0) {
        status = open_memory(made, given, file);
    } else if (!given->write) {
        status = open_file(made, given, peer, file);
    }
    if (status != JINGLE_OK) {
        transfer_sink_free(made, false);
        return status;
    }
    made->write = given->write;
    made->done = given->write ? given->done : NULL;
    made->user = given->user;
    *sink = made;
    return JINGLE_OK;
}

uint64_t transfer_sink_kept(const struct transfer_sink *sink)
{
    return sink->file ? partial_file_kept(sink->file) : 0;
}

jingle_status transfer_sink_start_at(struct transfer_sink *sink, uint64_t offset)
{
    if (!sink->file) {
        return offset == 0 ? JINGLE_OK : JINGLE_ERROR_PEER_FILE;
    }
    return transfer_status_to_jingle(partial_file_start_at(sink->file, offset));
}

/* ------------------------------------------------------------------------------- writing -- */

static enum transfer_status write_given(void *user, const uint8_t *bytes, size_t size)
{
    const struct transfer_sink *sink = user;
    return sink->write(sink->user, bytes, size) ? TRANSFER_OK : TRANSFER_WRITE;
}

struct byte_sink transfer_sink_bytes(struct transfer_sink *sink)
{
    if (sink->file) {
        return partial_file_sink(sink->file);
    }
    if (sink->memory.bytes) {
        return memory_sink(&sink->memory);
    }
    return (struct byte_sink){.write = write_given, .user = sink};
}

const char *transfer_sink_path(const struct transfer_sink *sink)
{
    return sink->file ? partial_file_path(sink->file) : NULL;
}

uint8_t *transfer_sink_take_memory(struct transfer_sink *sink, size_t *bytes)
{
    uint8_t *memory = sink->memory.bytes;
    *bytes = (size_t)sink->memory.used;
    sink->memory = (struct memory_bytes){0};
    return memory;
}

void transfer_sink_drop(struct transfer_sink *sink)
{
    if (sink) {
        sink->done = NULL;
        transfer_sink_free(sink, false);
    }
}

void transfer_sink_free(struct transfer_sink *sink, bool whole)
{
    if (!sink) {
        return;
    }
    partial_file_close(sink->file);
    free(sink->memory.bytes);
    if (sink->done) {
        sink->done(sink->user, whole);
    }
    g_free(sink);
}
