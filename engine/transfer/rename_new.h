/* Gives a file another name in its folder, and never the name of another file. */
#ifndef JINGLE_TRANSFER_RENAME_NEW_H
#define JINGLE_TRANSFER_RENAME_NEW_H

enum rename_way {
    RENAME_BY_KERNEL,     /* renameat2() with RENAME_NOREPLACE */
    RENAME_BY_LINK,       /* a second name, then without the first; not on FAT */
    RENAME_BY_PLACEHOLDER /* an empty file of that name first, which is ours to replace */
};

/* By the first way that the file system knows. 0, or an errno: EEXIST if the name is taken. */
int rename_new(int folder, const char *from, const char *to);

int rename_new_by(enum rename_way way, int folder, const char *from, const char *to);

#endif
