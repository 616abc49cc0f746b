#include "transfer/partial_file.h"

#include "transfer/file_name.h"
#include "transfer/read_at.h"
#include "transfer/rename_new.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Transfers of one file at once, and files of one name beside each other. */
enum { SLOTS = 8, NUMBERS_MAX = 10000, NAME_SIZE = 64 };

/* A transfer that was broken off lets go of its file within this. */
enum { LET_GO_TRIES = 30, LET_GO_USEC = 10000 };

struct partial_file {
    int folder;
    int fd;
    char *folder_path;
    char name[FILE_NAME_SIZE]; /* cleaned */
    char part[NAME_SIZE];
    char info[NAME_SIZE];
    uint64_t size;
    uint64_t at; /* behind what is there */
    bool can_be_known;
    char *path; /* once published */
};

/* ----------------------------------------------------------------------------- opening -- */

/* The name may have gone to another file, or to none, before it was locked. */
static bool is_still(const struct partial_file *file, const struct stat *opened)
{
    struct stat named;
    return fstatat(file->folder, file->part, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == opened->st_ino && named.st_dev == opened->st_dev;
}

/* Opens and locks one of the names that this file may have. BUSY: try the next. */
static enum transfer_status open_slot(struct partial_file *file, struct stat *found)
{
    int fd = openat(file->folder, file->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        return errno == ELOOP ? TRANSFER_BUSY : transfer_status_of(errno, TRANSFER_WRITE);
    }
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    /* what has another name, too, is another file, which must not be written over */
    if (locked && fstat(fd, found) == 0 && S_ISREG(found->st_mode) && found->st_nlink <= 1 &&
        is_still(file, found)) {
        file->fd = fd;
        return TRANSFER_OK;
    }
    close(fd);
    return TRANSFER_BUSY;
}

static enum transfer_status open_numbered_slot(struct partial_file *file, const char *key,
                                               unsigned slot, struct stat *found)
{
    char number[12] = "";
    if (slot > 0) {
        g_snprintf(number, sizeof number, "-%u", slot);
    }
    g_snprintf(file->part, sizeof file->part, ".%s%s.jingle-part", key, number);
    g_snprintf(file->info, sizeof file->info, ".%s%s.jingle-info", key, number);
    return open_slot(file, found);
}

/* The first is waited for: there lies what a transfer has kept that is ending right now, because
 * its sender was started again. */
static enum transfer_status open_any_slot(struct partial_file *file, const char *key,
                                          struct stat *found)
{
    enum transfer_status status = open_numbered_slot(file, key, 0, found);
    for (unsigned tries = 0; tries < LET_GO_TRIES && status == TRANSFER_BUSY; tries++) {
        g_usleep(LET_GO_USEC);
        status = open_numbered_slot(file, key, 0, found);
    }
    for (unsigned slot = 1; slot < SLOTS && status == TRANSFER_BUSY; slot++) {
        status = open_numbered_slot(file, key, slot, found);
    }
    return status;
}

static enum transfer_status begin_anew(struct partial_file *file,
                                       const struct file_identity *identity)
{
    file->at = 0;
    if (ftruncate(file->fd, 0) < 0) {
        return transfer_status_of(errno, TRANSFER_WRITE);
    }
    if (!file->can_be_known) {
        unlinkat(file->folder, file->info, 0);
        return TRANSFER_OK;
    }
    return file_identity_write(identity, file->folder, file->info);
}

/* Known to be too small beforehand; a file system that cannot tell is tried. */
static bool has_space(const struct partial_file *file)
{
    struct statvfs space;
    if (fstatvfs(file->folder, &space) < 0 || space.f_blocks == 0) {
        return true;
    }
    return (file->size - file->at) / space.f_frsize <= space.f_bavail;
}

static enum transfer_status find_or_begin(struct partial_file *file,
                                          const struct file_identity *identity)
{
    char key[FILE_KEY_SIZE];
    struct stat found = {0};
    file_identity_key(identity, key);
    enum transfer_status status = open_any_slot(file, key, &found);
    if (status != TRANSFER_OK) {
        return status;
    }
    file->at = (uint64_t)found.st_size;
    if (file->at == 0 || file->at > file->size ||
        !file_identity_is_in(identity, file->folder, file->info)) {
        status = begin_anew(file, identity);
    }
    if (status == TRANSFER_OK && !has_space(file)) {
        status = TRANSFER_NO_SPACE;
    }
    return status;
}

struct partial_file *partial_file_open(const char *folder, const struct file_identity *identity,
                                       enum transfer_status *status)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        *status =
            errno == ENOTDIR ? TRANSFER_NOT_A_FILE : transfer_status_of(errno, TRANSFER_WRITE);
        return NULL;
    }
    struct partial_file *file = g_new0(struct partial_file, 1);
    file->folder = fd;
    file->fd = -1;
    file->folder_path = g_strdup(folder);
    file->size = identity->size;
    file->can_be_known = file_identity_is_known(identity);
    file_name_clean(identity->name, file->name);
    *status = find_or_begin(file, identity);
    if (*status == TRANSFER_OK) {
        return file;
    }
    partial_file_close(file);
    return NULL;
}

void partial_file_call(struct partial_file *file, const char *name)
{
    g_strlcpy(file->name, name, sizeof file->name);
}

/* ----------------------------------------------------------------------------- content -- */

uint64_t partial_file_kept(const struct partial_file *file)
{
    return file->at;
}

enum transfer_status partial_file_start_at(struct partial_file *file, uint64_t offset)
{
    if (offset > file->at) {
        return TRANSFER_WRITE;
    }
    if (ftruncate(file->fd, (off_t)offset) < 0) {
        return transfer_status_of(errno, TRANSFER_WRITE);
    }
    file->at = offset;
    return TRANSFER_OK;
}

enum transfer_status partial_file_write(struct partial_file *file, const uint8_t *bytes,
                                        size_t size)
{
    if (size > file->size - file->at) {
        return TRANSFER_TOO_LONG;
    }
    while (size > 0) {
        ssize_t count = pwrite(file->fd, bytes, size, (off_t)file->at);
        if (count > 0) {
            file->at += (uint64_t)count;
            bytes += count;
            size -= (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            return transfer_status_of(count == 0 ? ENOSPC : errno, TRANSFER_WRITE);
        }
    }
    return TRANSFER_OK;
}

enum transfer_status partial_file_read(struct partial_file *file, uint64_t at, uint8_t *out,
                                       size_t size, size_t *got)
{
    return read_at(file->fd, at, out, size, got);
}

enum transfer_status partial_file_sync(struct partial_file *file)
{
    return fsync(file->fd) < 0 ? transfer_status_of(errno, TRANSFER_WRITE) : TRANSFER_OK;
}

/* ------------------------------------------------------------------------------ ending -- */

static void publish_as(struct partial_file *file, const char *name)
{
    file->path = g_build_filename(file->folder_path, name, NULL);
    unlinkat(file->folder, file->info, 0);
    (void)fsync(file->folder); /* the name lasts, too; some file systems have no such thing */
}

enum transfer_status partial_file_publish(struct partial_file *file)
{
    char name[FILE_NAME_SIZE];
    for (unsigned number = 0; number < NUMBERS_MAX; number++) {
        file_name_numbered(file->name, number, name);
        int error = rename_new(file->folder, file->part, name);
        if (error == 0) {
            publish_as(file, name);
            return TRANSFER_OK;
        }
        if (error != EEXIST) {
            return transfer_status_of(error, TRANSFER_WRITE);
        }
    }
    return TRANSFER_BUSY;
}

const char *partial_file_path(const struct partial_file *file)
{
    return file->path;
}

void partial_file_discard(struct partial_file *file)
{
    if (file->path || file->fd < 0) {
        return;
    }
    file->at = 0;
    unlinkat(file->folder, file->info, 0);
    unlinkat(file->folder, file->part, 0);
}

void partial_file_close(struct partial_file *file)
{
    if (!file) {
        return;
    }
    if (file->at == 0 || !file->can_be_known) {
        partial_file_discard(file);
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    close(file->folder);
    g_free(file->folder_path);
    g_free(file->path);
    g_free(file);
}

/* ---------------------------------------------------------------------------- as a sink -- */

static enum transfer_status sink_write(void *user, const uint8_t *bytes, size_t size)
{
    return partial_file_write(user, bytes, size);
}

static enum transfer_status sink_read(void *user, uint64_t at, uint8_t *out, size_t size,
                                      size_t *got)
{
    return partial_file_read(user, at, out, size, got);
}

static enum transfer_status sink_sync(void *user)
{
    return partial_file_sync(user);
}

static enum transfer_status sink_publish(void *user)
{
    return partial_file_publish(user);
}

static void sink_discard(void *user)
{
    partial_file_discard(user);
}

struct byte_sink partial_file_sink(struct partial_file *file)
{
    return (struct byte_sink){.write = sink_write,
                              .read = sink_read,
                              .sync = sink_sync,
                              .publish = sink_publish,
                              .discard = sink_discard,
                              .user = file};
}
