#include "unit/transfer/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

int folder_make(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/jingle-transfer-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *ftw)
{
    (void)found;
    (void)kind;
    return ftw->level > 0 ? remove(path) : 0;
}

void folder_empty(void)
{
    if (nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        abort();
    }
}

int folder_remove(void **state)
{
    (void)state;
    folder_empty();
    return remove(folder);
}

const char *folder_path(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *folder_write(const char *name, const void *bytes, size_t size)
{
    const char *path = folder_path(name);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        abort();
    }
    return path;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t ending = strlen(suffix);
    return length >= ending && strcmp(name + length - ending, suffix) == 0;
}

unsigned folder_count(const char *suffix)
{
    unsigned count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        bool self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        count += !self && (!suffix || ends_with(entry->d_name, suffix));
    }
    if (open) {
        closedir(open);
    }
    return count;
}
