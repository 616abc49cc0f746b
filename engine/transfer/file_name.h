/* A peer's file name made safe, and names that are still free. Pure. */
#ifndef JINGLE_TRANSFER_FILE_NAME_H
#define JINGLE_TRANSFER_FILE_NAME_H

enum { FILE_NAME_MAX = 255, FILE_NAME_SIZE = FILE_NAME_MAX + 1 };

/* What is left of a peer's name (NULL allowed): its last component ('/' and '\' both part), valid
 * UTF-8 without control and direction-changing characters, without leading dots, without spaces and
 * dots at its end, no name of a Windows device, nothing that Windows forbids, at most FILE_NAME_MAX
 * bytes with its ending kept; "file" if nothing is left. What is clean stays as it is. */
void file_name_clean(const char *name, char out[FILE_NAME_SIZE]);

/* "name (3).ext" of "name.ext" and 3 (a second ending such as ".tar.gz" is kept whole); the name
 * itself for 0. Never longer than FILE_NAME_MAX bytes. */
void file_name_numbered(const char *name, unsigned number, char out[FILE_NAME_SIZE]);

#endif
