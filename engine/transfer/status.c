#include "transfer/status.h"

#include <errno.h>

static const char *const sentences[TRANSFER_STATUSES] = {
    [TRANSFER_OK] = "The file is complete.",
    [TRANSFER_CANCELED] = "The transfer was cancelled.",
    [TRANSFER_CONNECTION_LOST] = "The connection broke before the end of the file.",
    [TRANSFER_STALLED] = "Nothing came through any more.",
    [TRANSFER_TOO_LONG] = "More came than was announced.",
    [TRANSFER_WRONG_HASH] = "What came is not what was announced: its hash is wrong.",
    [TRANSFER_CHANGED] = "The file was changed while it was being sent.",
    [TRANSFER_NOT_FOUND] = "The file or its folder is not there.",
    [TRANSFER_NOT_A_FILE] = "That is not a regular file, or not a folder.",
    [TRANSFER_PERMISSION] = "The file or its folder may not be used.",
    [TRANSFER_NO_SPACE] = "There is no space left for it.",
    [TRANSFER_READ] = "The file cannot be read.",
    [TRANSFER_WRITE] = "The file cannot be written.",
    [TRANSFER_BUSY] = "Another transfer is writing the same file, or all its names are taken.",
    [TRANSFER_LIMIT] = "Too much is going on at once.",
};

const char *transfer_status_text(enum transfer_status status)
{
    unsigned index = (unsigned)status;
    return index < TRANSFER_STATUSES ? sentences[index] : "An unknown error.";
}

enum transfer_status transfer_status_of(int error, enum transfer_status otherwise)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
        return TRANSFER_NOT_FOUND;
    case EISDIR:
    case ENXIO:
        return TRANSFER_NOT_A_FILE;
    case EACCES:
    case EPERM:
    case EROFS:
        return TRANSFER_PERMISSION;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return TRANSFER_NO_SPACE;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return TRANSFER_LIMIT;
    default:
        return otherwise;
    }
}
