/* Whatever can be wrong with a file is told before anybody logs in. */
#include "parcels.h"

#include "exit.h"
#include "tarball.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct collector {
    struct parcels *parcels;
    const struct options *options;
    struct teller *teller;
    char *message;
    int code;
    uint64_t bytes; /* of the file that was looked at last */
};

static bool fail(struct collector *collector, int code, char *message)
{
    collector->message = message;
    collector->code = code;
    return false;
}

/* ------------------------------------------------------------------------------ folders -- */

struct packing {
    struct teller *teller;
    const char *folder;
};

static void note_packed(void *user, uint64_t bytes)
{
    struct packing *packing = user;
    tell_packing(packing->teller, packing->folder, bytes);
}

static void tarball_free(void *tarball)
{
    tarball_clear(tarball);
    g_free(tarball);
}

static bool collect_folder(struct collector *collector, const char *path,
                           jingle_file_source *source)
{
    if (!collector->options->tar) {
        return fail(collector, EXIT_USAGE,
                    g_strdup_printf("%s is a folder; add --tar to send it as an archive.", path));
    }
    struct packing packing = {collector->teller, path};
    struct tarball_watch watch = {note_packed, &packing};
    struct tarball *tarball = g_new0(struct tarball, 1);
    char *message = NULL;
    tell_note(collector->teller, "Packing %s ...", path);
    if (!tarball_make(tarball, path, &watch, &message)) {
        g_free(tarball);
        return fail(collector, EXIT_FILE, message);
    }
    if (tarball->left_out > 0) {
        tell_note(collector->teller, "%u things in %s are neither files nor folders: left out.",
                  tarball->left_out, path);
    }
    source->read = tarball_read;
    source->free = tarball_free;
    source->user = tarball;
    source->bytes = collector->bytes = tarball->bytes;
    source->date = tarball->date;
    source->name = tarball->name;
    source->media_type = "application/x-tar";
    return true;
}

/* -------------------------------------------------------------------------------- files -- */

static bool collect_one(struct collector *collector, const char *path, jingle_file_source *source)
{
    struct stat status;
    if (strcmp(path, "-") == 0) {
        return fail(collector, EXIT_USAGE,
                    g_strdup("Standard input has no size, which they must know beforehand: write "
                             "it to a file and send that."));
    }
    if (stat(path, &status) != 0) {
        return fail(collector, EXIT_FILE,
                    g_strdup_printf("%s cannot be sent: %s.", path, g_strerror(errno)));
    }
    if (S_ISDIR(status.st_mode)) {
        return collect_folder(collector, path, source);
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(collector, EXIT_FILE,
                    g_strdup_printf("%s is neither a file nor a folder.", path));
    }
    if (access(path, R_OK) != 0) {
        return fail(collector, EXIT_FILE,
                    g_strdup_printf("%s cannot be read: %s.", path, g_strerror(errno)));
    }
    char *kept = g_strdup(path);
    g_ptr_array_add(collector->parcels->kept, kept);
    source->path = kept;
    collector->bytes = (uint64_t)status.st_size;
    return true;
}

static void source_add_options(jingle_file_source *source, const struct options *options)
{
    source->description = options->description;
    if (options->type) {
        source->media_type = options->type;
    }
    if (options->name) {
        source->name = options->name;
    }
}

bool parcels_collect(struct parcels *parcels, const struct options *options, struct teller *teller,
                     char *const *paths, char **message, int *code)
{
    struct collector collector = {.parcels = parcels, .options = options, .teller = teller};
    *parcels = (struct parcels){
        .sources = g_array_new(FALSE, TRUE, sizeof(jingle_file_source)),
        .sizes = g_array_new(FALSE, TRUE, sizeof(uint64_t)),
        .kept = g_ptr_array_new_with_free_func(g_free),
    };
    for (char *const *path = paths; *path; path++) {
        jingle_file_source source;
        jingle_file_source_init(&source);
        if (!collect_one(&collector, *path, &source)) {
            *message = collector.message;
            *code = collector.code;
            parcels_clear(parcels);
            return false;
        }
        source_add_options(&source, options);
        g_array_append_val(parcels->sources, source);
        g_array_append_val(parcels->sizes, collector.bytes);
    }
    return true;
}

void parcels_given(struct parcels *parcels)
{
    g_array_set_size(parcels->sources, 0);
}

void parcels_clear(struct parcels *parcels)
{
    for (guint i = 0; parcels->sources && i < parcels->sources->len; i++) {
        jingle_file_source *source = &g_array_index(parcels->sources, jingle_file_source, i);
        if (source->free) {
            source->free(source->user);
        }
    }
    g_clear_pointer(&parcels->sources, g_array_unref);
    g_clear_pointer(&parcels->sizes, g_array_unref);
    g_clear_pointer(&parcels->kept, g_ptr_array_unref);
}
