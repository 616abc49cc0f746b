#include "transfer/partial_prune.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ".jingle-part"
#define INFO ".jingle-info"

/* As partial_file.c names them: a dot, 16 hex digits of the key, maybe a number, and the ending. */
static bool is_ours(const char *name, const char *ending)
{
    if (name[0] != '.' || !g_str_has_suffix(name, ending) ||
        strspn(name + 1, "0123456789abcdef") != 16) {
        return false;
    }
    const char *rest = name + 17;
    rest += *rest == '-' ? 1 + strspn(rest + 1, "0123456789") : 0;
    return strcmp(rest, ending) == 0;
}

static bool is_old(const struct stat *found, usec wall)
{
    return S_ISREG(found->st_mode) &&
           (usec)found->st_mtim.tv_sec * USEC_PER_SEC < wall - PARTIAL_KEPT_FOR;
}

/* The other one of the two. */
static void twin_of(const char *name, const char *ending, const char *other, char out[NAME_MAX + 1])
{
    int stem = (int)(strlen(name) - strlen(ending));
    snprintf(out, NAME_MAX + 1, "%.*s%s", stem, name, other);
}

/* Whoever writes to it has locked it. */
static void prune_part(int folder, const char *part, usec wall)
{
    struct stat found;
    char info[NAME_MAX + 1];
    int fd = openat(folder, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &found) == 0 && is_old(&found, wall) && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        twin_of(part, PART, INFO, info);
        unlinkat(folder, info, 0);
        unlinkat(folder, part, 0);
    }
    close(fd);
}

/* What is left of one whose bytes are gone. */
static void prune_info(int folder, const char *info, usec wall)
{
    struct stat found;
    char part[NAME_MAX + 1];
    twin_of(info, INFO, PART, part);
    if (fstatat(folder, info, &found, AT_SYMLINK_NOFOLLOW) == 0 && is_old(&found, wall) &&
        faccessat(folder, part, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
        unlinkat(folder, info, 0);
    }
}

void partial_prune(const char *folder, usec wall)
{
    DIR *all = opendir(folder);
    if (!all) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(all))) {
        if (is_ours(entry->d_name, PART)) {
            prune_part(dirfd(all), entry->d_name, wall);
        } else if (is_ours(entry->d_name, INFO)) {
            prune_info(dirfd(all), entry->d_name, wall);
        }
    }
    closedir(all);
}
