#include "transfer_source.h"

#include "base/clock.h"
#include "transfer/file_name.h"
#include "transfer/memory_ends.h"
#include "transfer/outgoing_file.h"
#include "transfer_status.h"

#include <gio/gio.h>
#include <string.h>

/* By so many of the first bytes a kind of file is known. */
enum { FIRST_BYTES = 4096 };

struct transfer_source {
    jingle_file_source given; /* its functions; the text is not ours */
    struct outgoing_file *file;
    struct memory_bytes memory;
    struct file_description description;
};

/* ------------------------------------------------------------- the application's functions */

static enum transfer_status read_given(void *user, uint64_t at, uint8_t *out, size_t size,
                                       size_t *got)
{
    const struct transfer_source *source = user;
    uint64_t left = at < source->given.bytes ? source->given.bytes - at : 0;
    size_t wanted = left < size ? (size_t)left : size;
    *got = 0;
    while (*got < wanted) {
        int64_t count =
            source->given.read(source->given.user, at + *got, out + *got, wanted - *got);
        if (count < 0 || (uint64_t)count > wanted - *got) {
            return TRANSFER_READ;
        }
        if (count == 0) {
            break;
        }
        *got += (size_t)count;
    }
    return TRANSFER_OK;
}

struct byte_source transfer_source_bytes(struct transfer_source *source)
{
    if (source->file) {
        return outgoing_file_source(source->file);
    }
    if (source->given.memory) {
        return memory_source(&source->memory);
    }
    return (struct byte_source){.read = read_given, .user = source};
}

/* --------------------------------------------------------------------------- description -- */

/* By the shared MIME database. An application's function is not asked for its first bytes yet: it
 * is called by threads of the library only. */
static char *guess_media_type(struct transfer_source *source, const char *name)
{
    uint8_t first[FIRST_BYTES];
    size_t got = 0;
    if (!source->given.read) {
        struct byte_source bytes = transfer_source_bytes(source);
        if (bytes.read(bytes.user, 0, first, sizeof first, &got) != TRANSFER_OK) {
            got = 0;
        }
    }
    char *kind = g_content_type_guess(name, got > 0 ? first : NULL, got, NULL);
    char *media_type = g_content_type_get_mime_type(kind);
    g_free(kind);
    return media_type;
}

static void describe(struct transfer_source *source)
{
    const jingle_file_source *given = &source->given;
    struct file_description *file = &source->description;
    char clean[FILE_NAME_SIZE];
    char *name =
        g_utf8_make_valid(given->name ? given->name : outgoing_file_name(source->file), -1);
    file_name_clean(name, clean);
    g_free(name);
    file->name = g_strdup(clean);
    file->has_size = true;
    file->size = source->file ? outgoing_file_size(source->file) : given->bytes;
    file->desc = given->description && *given->description ? g_strdup(given->description) : NULL;
    file->date = given->date / USEC_PER_SEC;
    if (file->date == 0 && source->file) {
        file->date = outgoing_file_date(source->file);
    }
    file->media_type =
        given->media_type ? g_strdup(given->media_type) : guess_media_type(source, clean);
    file->has_range = true; /* they may go on where they were */
}

const struct file_description *transfer_source_description(const struct transfer_source *source)
{
    return &source->description;
}

/* ------------------------------------------------------------------------------- opening -- */

static bool is_text(const char *text)
{
    return !text || g_utf8_validate(text, -1, NULL);
}

static bool makes_sense(const jingle_file_source *given)
{
    int kinds = (given->path != NULL) + (given->memory != NULL) + (given->read != NULL);
    return kinds == 1 && (given->path || given->name) && (!given->name || *given->name) &&
           is_text(given->name) && is_text(given->media_type) && is_text(given->description) &&
           given->date >= 0 && given->bytes <= INT64_MAX; /* no file is larger */
}

/* What the application handed over and what was opened for it are one from here on. */
static jingle_status open_it(struct transfer_source *source)
{
    jingle_file_source *given = &source->given;
    enum transfer_status status = TRANSFER_OK;
    if (!makes_sense(given)) {
        return JINGLE_ERROR_INVALID;
    }
    if (given->path) {
        source->file = outgoing_file_open(given->path, &status);
        if (!source->file) {
            return transfer_status_to_jingle(status);
        }
    }
    /* it is only read */
    source->memory = (struct memory_bytes){.bytes = (uint8_t *)given->memory, .size = given->bytes};
    describe(source);
    return JINGLE_OK;
}

/* A program that was built earlier knows of less. */
static jingle_file_source read_given_source(const jingle_file_source *given)
{
    jingle_file_source out;
    jingle_file_source_init(&out);
    memcpy(&out, given, MIN(given->size, sizeof out));
    return out;
}

jingle_status transfer_source_open(const jingle_file_source *given, struct transfer_source **source)
{
    struct transfer_source *made = g_new0(struct transfer_source, 1);
    made->given = read_given_source(given);
    jingle_status status = open_it(made);
    if (status != JINGLE_OK) {
        transfer_source_free(made);
        return status;
    }
    *source = made;
    return JINGLE_OK;
}

void transfer_source_drop(const jingle_file_source *given)
{
    jingle_file_source source = read_given_source(given);
    if (source.free) {
        source.free(source.user);
    }
}

void transfer_source_free(struct transfer_source *source)
{
    if (!source) {
        return;
    }
    outgoing_file_close(source->file);
    file_description_clear(&source->description);
    if (source->given.free) {
        source->given.free(source->given.user);
    }
    g_free(source);
}

void jingle_file_source_init(jingle_file_source *source)
{
    if (source) {
        *source = (jingle_file_source){.size = sizeof *source};
    }
}
