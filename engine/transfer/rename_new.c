#include "transfer/rename_new.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static int by_link(int folder, const char *from, const char *to)
{
    if (linkat(folder, from, folder, to, 0) < 0) {
        return errno;
    }
    return unlinkat(folder, from, 0) < 0 ? errno : 0;
}

static int by_placeholder(int folder, const char *from, const char *to)
{
    int placeholder = openat(folder, to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (placeholder < 0) {
        return errno;
    }
    close(placeholder);
    if (renameat(folder, from, folder, to) == 0) {
        return 0;
    }
    int error = errno;
    unlinkat(folder, to, 0);
    return error;
}

int rename_new_by(enum rename_way way, int folder, const char *from, const char *to)
{
    switch (way) {
    case RENAME_BY_KERNEL:
        return renameat2(folder, from, folder, to, RENAME_NOREPLACE) < 0 ? errno : 0;
    case RENAME_BY_LINK:
        return by_link(folder, from, to);
    case RENAME_BY_PLACEHOLDER:
        break;
    }
    return by_placeholder(folder, from, to);
}

static bool is_unknown_way(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM ||
           error == EMLINK;
}

int rename_new(int folder, const char *from, const char *to)
{
    int error = rename_new_by(RENAME_BY_KERNEL, folder, from, to);
    if (is_unknown_way(error)) {
        error = rename_new_by(RENAME_BY_LINK, folder, from, to);
    }
    if (is_unknown_way(error)) {
        error = rename_new_by(RENAME_BY_PLACEHOLDER, folder, from, to);
    }
    return error;
}
