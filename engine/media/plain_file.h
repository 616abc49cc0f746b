/* Opens files on a disk and nothing else: a pipe might let its opener wait for ever. */
#ifndef JINGLE_MEDIA_PLAIN_FILE_H
#define JINGLE_MEDIA_PLAIN_FILE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* `flags` as of open(2). -1: it is not there, not allowed or no plain file. */
static inline int plain_file_open(const char *path, int flags)
{
    struct stat info;
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

#endif
