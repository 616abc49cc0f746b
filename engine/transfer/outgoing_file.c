#include "transfer/outgoing_file.h"

#include "transfer/read_at.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct outgoing_file {
    int fd;
    struct stat as_opened;
    char *name;
};

/* Opens without waiting for the other end of a pipe, and only what is a file. */
static int open_file(const char *path, struct stat *found, enum transfer_status *status)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *status = transfer_status_of(errno, TRANSFER_READ);
        return -1;
    }
    if (fstat(fd, found) == 0 && S_ISREG(found->st_mode)) {
        return fd;
    }
    *status = TRANSFER_NOT_A_FILE;
    close(fd);
    return -1;
}

struct outgoing_file *outgoing_file_open(const char *path, enum transfer_status *status)
{
    struct stat found;
    int fd = open_file(path, &found, status);
    if (fd < 0) {
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    struct outgoing_file *file = malloc(sizeof *file);
    char *name = strdup(slash ? slash + 1 : path);
    if (!file || !name) {
        free(file);
        free(name);
        close(fd);
        *status = TRANSFER_LIMIT;
        return NULL;
    }
    *file = (struct outgoing_file){.fd = fd, .as_opened = found, .name = name};
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *status = TRANSFER_OK;
    return file;
}

void outgoing_file_close(struct outgoing_file *file)
{
    if (!file) {
        return;
    }
    close(file->fd);
    free(file->name);
    free(file);
}

uint64_t outgoing_file_size(const struct outgoing_file *file)
{
    return (uint64_t)file->as_opened.st_size;
}

int64_t outgoing_file_date(const struct outgoing_file *file)
{
    return file->as_opened.st_mtim.tv_sec;
}

const char *outgoing_file_name(const struct outgoing_file *file)
{
    return file->name;
}

enum transfer_status outgoing_file_check(const struct outgoing_file *file)
{
    struct stat now;
    const struct stat *then = &file->as_opened;
    if (fstat(file->fd, &now) < 0) {
        return TRANSFER_READ;
    }
    bool same = now.st_size == then->st_size && now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
    return same ? TRANSFER_OK : TRANSFER_CHANGED;
}

static enum transfer_status read_file(void *user, uint64_t at, uint8_t *out, size_t size,
                                      size_t *got)
{
    const struct outgoing_file *file = user;
    return read_at(file->fd, at, out, size, got);
}

static int descriptor(void *user)
{
    const struct outgoing_file *file = user;
    return file->fd;
}

static enum transfer_status check(void *user)
{
    return outgoing_file_check(user);
}

struct byte_source outgoing_file_source(struct outgoing_file *file)
{
    return (struct byte_source){
        .read = read_file, .descriptor = descriptor, .check = check, .user = file};
}
