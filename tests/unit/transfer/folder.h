/* A folder of a test's own, made before its tests and removed with all in it afterwards. */
#ifndef JINGLE_TESTS_TRANSFER_FOLDER_H
#define JINGLE_TESTS_TRANSFER_FOLDER_H

#include <stddef.h>

int folder_make(void **state);
int folder_remove(void **state);

/* Overwritten by the eighth call after. */
const char *folder_path(const char *name);

/* Its path again. */
const char *folder_write(const char *name, const void *bytes, size_t size);

/* What is in the folder, with hidden files; those of `suffix` only if it is not NULL. */
unsigned folder_count(const char *suffix);

/* Removes all that is in it. */
void folder_empty(void);

#endif
