/* How a transfer of bytes can end, and a sentence about each for people. */
#ifndef JINGLE_TRANSFER_STATUS_H
#define JINGLE_TRANSFER_STATUS_H

enum transfer_status {
    TRANSFER_OK,
    TRANSFER_CANCELED,
    TRANSFER_CONNECTION_LOST, /* the byte stream ended or broke before the last byte */
    TRANSFER_STALLED,         /* not one byte moved for too long */
    TRANSFER_TOO_LONG,        /* the peer sent more than it announced */
    TRANSFER_WRONG_HASH,      /* all bytes came and are not those that were announced */
    TRANSFER_CHANGED,         /* the source is not the file any more that was announced */
    TRANSFER_NOT_FOUND,       /* the file or its folder is not there, or no more */
    TRANSFER_NOT_A_FILE,      /* a folder, a device or a socket */
    TRANSFER_PERMISSION,
    TRANSFER_NO_SPACE, /* disk or quota full, or the file system has no files of that size */
    TRANSFER_READ,
    TRANSFER_WRITE,
    TRANSFER_BUSY,  /* too many transfers of the same file, or too many names are taken */
    TRANSFER_LIMIT, /* no memory, threads or descriptors left */
    TRANSFER_STATUSES
};

/* Never NULL, never freed. */
const char *transfer_status_text(enum transfer_status status);

/* What an errno of open(), read(), write() and the like tells; `otherwise` if nothing special. */
enum transfer_status transfer_status_of(int error, enum transfer_status otherwise);

#endif
