#include "transfer/read_at.h"

#include <errno.h>
#include <unistd.h>

enum transfer_status read_at(int fd, uint64_t at, uint8_t *out, size_t size, size_t *got)
{
    for (*got = 0; *got < size;) {
        ssize_t count = pread(fd, out + *got, size - *got, (off_t)(at + *got));
        if (count == 0) {
            break;
        }
        if (count > 0) {
            *got += (size_t)count;
        } else if (errno != EINTR) {
            return transfer_status_of(errno, TRANSFER_READ);
        }
    }
    return TRANSFER_OK;
}
