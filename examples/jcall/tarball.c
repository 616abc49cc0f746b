/* Packs by libarchive:
 *
 *     names of a folder, sorted ─▶ header and content of each ─▶ archive ─▶ unlinked file
 *
 * Whose the files are is left out: it is nobody's business, and would make the bytes differ. */
#include "tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK     (256 * 1024)
#define DEPTH_MAX 200 /* folders in folders */

struct packer {
    struct tarball *tarball;
    const struct tarball_watch *watch;
    struct archive *archive;
    char *chunk;
    uint64_t packed; /* bytes of content */
    char *message;   /* why it cannot be done */
};

static bool fail(struct packer *packer, const char *path, const char *why)
{
    packer->message = g_strdup_printf("%s cannot be packed: %s.", path, why);
    return false;
}

/* What the archive itself complains of: mostly that the disk is full. */
static bool fail_writing(struct packer *packer)
{
    int why = archive_errno(packer->archive);
    if (why == ENOSPC || why == EDQUOT) {
        packer->message = g_strdup_printf("There is no room for the archive in %s; set TMPDIR to a "
                                          "folder with more room.",
                                          g_get_tmp_dir());
    } else {
        packer->message = g_strdup_printf("The archive cannot be written: %s.",
                                          archive_error_string(packer->archive));
    }
    return false;
}

static void entry_fill(struct archive_entry *entry, const char *inside, const struct stat *status)
{
    archive_entry_copy_pathname(entry, inside);
    archive_entry_set_filetype(entry, status->st_mode & S_IFMT);
    archive_entry_set_perm(entry, status->st_mode & 0777);
    archive_entry_set_mtime(entry, status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
    archive_entry_set_size(entry, S_ISREG(status->st_mode) ? status->st_size : 0);
}

static bool pack_content(struct packer *packer, int descriptor, const char *path, int64_t size)
{
    for (int64_t left = size; left > 0;) {
        ssize_t got = read(descriptor, packer->chunk, (size_t)MIN(left, CHUNK));
        if (got <= 0) {
            return fail(packer, path, got < 0 ? g_strerror(errno) : "it became shorter meanwhile");
        }
        if (archive_write_data(packer->archive, packer->chunk, (size_t)got) != got) {
            return fail_writing(packer);
        }
        left -= got;
        packer->packed += (uint64_t)got;
        if (packer->watch->packed) {
            packer->watch->packed(packer->watch->user, packer->packed);
        }
    }
    return true;
}

static bool pack_header(struct packer *packer, const char *path, const char *inside,
                        const struct stat *status)
{
    struct archive_entry *entry = archive_entry_new();
    bool good = true;
    entry_fill(entry, inside, status);
    if (S_ISLNK(status->st_mode)) {
        char target[PATH_MAX];
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[MAX(length, 0)] = '\0';
        archive_entry_copy_symlink(entry, target);
        good = length > 0 || fail(packer, path, g_strerror(errno));
    }
    if (good && archive_write_header(packer->archive, entry) != ARCHIVE_OK) {
        good = fail_writing(packer);
    }
    archive_entry_free(entry);
    packer->tarball->date =
        MAX(packer->tarball->date, (int64_t)status->st_mtim.tv_sec * G_USEC_PER_SEC);
    return good;
}

static bool pack_file(struct packer *packer, const char *path, const char *inside)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        int why = descriptor < 0 ? errno : EINVAL;
        if (descriptor >= 0) {
            close(descriptor);
        }
        return fail(packer, path, g_strerror(why));
    }
    bool good = pack_header(packer, path, inside, &status) &&
                pack_content(packer, descriptor, path, status.st_size);
    close(descriptor);
    return good;
}

static int by_name(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The names in a folder, sorted; NULL-terminated. NULL if it cannot be read. */
static char **folder_names(const char *path, char **why)
{
    GError *error = NULL;
    GDir *folder = g_dir_open(path, 0, &error);
    if (!folder) {
        *why = g_strdup(g_strerror(errno));
        g_error_free(error);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new();
    for (const char *name = g_dir_read_name(folder); name; name = g_dir_read_name(folder)) {
        g_ptr_array_add(names, g_strdup(name));
    }
    g_dir_close(folder);
    g_ptr_array_sort(names, by_name);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static bool pack_any(struct packer *packer, const char *path, const char *inside, int depth);

static bool pack_folder(struct packer *packer, const char *path, const char *inside, int depth)
{
    char *why = NULL;
    char **names = folder_names(path, &why);
    bool good = names || fail(packer, path, why);
    for (char **name = names; good && *name; name++) {
        char *below = g_build_filename(path, *name, NULL);
        char *below_inside = g_build_filename(inside, *name, NULL);
        good = pack_any(packer, below, below_inside, depth + 1);
        g_free(below);
        g_free(below_inside);
    }
    g_strfreev(names);
    g_free(why);
    return good;
}

static bool pack_any(struct packer *packer, const char *path, const char *inside, int depth)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        return fail(packer, path, g_strerror(errno));
    }
    if (depth > DEPTH_MAX) {
        return fail(packer, path, "too many folders lie in each other");
    }
    if (S_ISREG(status.st_mode)) {
        return pack_file(packer, path, inside);
    }
    if (S_ISDIR(status.st_mode)) {
        return pack_header(packer, path, inside, &status) &&
               pack_folder(packer, path, inside, depth);
    }
    if (S_ISLNK(status.st_mode)) {
        return pack_header(packer, path, inside, &status);
    }
    packer->tarball->left_out++;
    return true;
}

/* In $TMPDIR, without a name from the beginning where the file system can do that. */
static int temporary_open(void)
{
    int descriptor = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        char *path = g_build_filename(g_get_tmp_dir(), "jcall-XXXXXX", NULL);
        descriptor = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
        if (descriptor >= 0) {
            unlink(path);
        }
        g_free(path);
    }
    return descriptor;
}

/* "photos" of "/home/bob/photos/" and of "." in there. */
static char *folder_name(const char *folder)
{
    char *real = realpath(folder, NULL);
    char *name = g_path_get_basename(real ? real : folder);
    free(real);
    if (strcmp(name, "/") == 0) {
        g_free(name);
        name = g_strdup("root");
    }
    return name;
}

static bool pack(struct packer *packer, const char *folder)
{
    char *inside = folder_name(folder);
    char *path = g_build_filename(folder, ".", NULL); /* a link to a folder is that folder */
    packer->archive = archive_write_new();
    packer->chunk = g_malloc(CHUNK);
    archive_write_set_format_pax_restricted(packer->archive);
    archive_write_add_filter_none(packer->archive);
    bool good = archive_write_open_fd(packer->archive, packer->tarball->descriptor) == ARCHIVE_OK
                    ? pack_any(packer, path, inside, 0)
                    : fail_writing(packer);
    if (good && archive_write_close(packer->archive) != ARCHIVE_OK) {
        good = fail_writing(packer);
    }
    archive_write_free(packer->archive);
    packer->tarball->name = g_strconcat(inside, ".tar", NULL);
    g_free(packer->chunk);
    g_free(path);
    g_free(inside);
    return good;
}

bool tarball_make(struct tarball *tarball, const char *folder, const struct tarball_watch *watch,
                  char **message)
{
    *tarball = (struct tarball){.descriptor = temporary_open()};
    if (tarball->descriptor < 0) {
        *message = g_strdup_printf("There can be no temporary file in %s: %s.", g_get_tmp_dir(),
                                   g_strerror(errno));
        return false;
    }
    struct packer packer = {.tarball = tarball, .watch = watch};
    struct stat status;
    bool good = pack(&packer, folder);
    if (good && fstat(tarball->descriptor, &status) == 0) {
        tarball->bytes = (uint64_t)status.st_size;
    }
    *message = packer.message;
    if (!good) {
        tarball_clear(tarball);
    }
    return good;
}

int64_t tarball_read(void *user, uint64_t offset, void *bytes, size_t count)
{
    const struct tarball *tarball = user;
    size_t done = 0;
    while (done < count) {
        ssize_t got =
            pread(tarball->descriptor, (char *)bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    return (int64_t)done;
}

void tarball_clear(struct tarball *tarball)
{
    if (tarball->descriptor >= 0) {
        close(tarball->descriptor);
    }
    g_free(tarball->name);
    *tarball = (struct tarball){.descriptor = -1};
}
