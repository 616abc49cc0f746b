#include "signaling/file_description.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ns.h"

/* Sizes and offsets are those of files: what no file can have is no number. */
#define NUMBER_MAX ((uint64_t)INT64_MAX)

/* ------------------------------------------------------------------------- owning memory -- */

void file_description_clear(struct file_description *file)
{
    g_free(file->name);
    g_free(file->media_type);
    g_free(file->desc);
    memset(file, 0, sizeof(*file));
}

void file_description_copy(struct file_description *to, const struct file_description *from)
{
    *to = *from;
    to->name = g_strdup(from->name);
    to->media_type = g_strdup(from->media_type);
    to->desc = g_strdup(from->desc);
}

/* -------------------------------------------------------------------------------- hashes -- */

static struct file_hash *find_hash(struct file_description *file, const char *algorithm)
{
    for (size_t i = 0; i < file->hash_count; i++) {
        if (strcmp(file->hashes[i].algorithm, algorithm) == 0)
            return &file->hashes[i];
    }
    return NULL;
}

bool file_description_add_hash(struct file_description *file, const char *algorithm,
                               const char *value)
{
    struct file_hash *hash = find_hash(file, algorithm);

    if (hash == NULL && file->hash_count >= FILE_HASHES_MAX)
        return false;
    if (hash == NULL)
        hash = &file->hashes[file->hash_count++];
    g_strlcpy(hash->algorithm, algorithm, sizeof(hash->algorithm));
    g_strlcpy(hash->value, value, sizeof(hash->value));
    return true;
}

/* ------------------------------------------------------------------------------- reading -- */

static char *without_spaces(char *text)
{
    char *out = text;

    for (const char *at = text; *at != '\0'; at++) {
        if (!g_ascii_isspace(*at))
            *out++ = *at;
    }
    *out = '\0';
    return text;
}

/* <hash/>, or <hash-used/>, which an empty <hash/> also means. What cannot be kept is passed over,
 * as is what has been said before: a second word on one algorithm cannot take back the first. */
static void read_hash(struct file_description *file, const xml_node *node)
{
    const char *algorithm = xml_attribute(node, "algo");
    bool has_value = strcmp(xml_name(node), "hash") == 0;

    if (algorithm == NULL || *algorithm == '\0' ||
        strnlen(algorithm, FILE_ALGORITHM_SIZE) >= FILE_ALGORITHM_SIZE)
        return;
    char *value = has_value ? without_spaces(xml_text(node)) : g_strdup("");
    const struct file_hash *known = find_hash(file, algorithm);
    if ((known == NULL || *known->value == '\0') && strlen(value) < FILE_HASH_SIZE)
        file_description_add_hash(file, algorithm, value);
    g_free(value);
}

static bool is_hash(const xml_node *node)
{
    return xml_is(node, NS_HASHES, "hash") || xml_is(node, NS_HASHES, "hash-used");
}

/* The first one counts: of several <desc/> in different languages too. */
static void read_text(char **out, const xml_node *node, size_t max)
{
    if (*out != NULL)
        return;
    char *text = xml_text(node);
    size_t bytes = strlen(text);
    if (bytes > max)
        bytes = (size_t)(g_utf8_find_prev_char(text, text + max + 1) - text);
    *out = bytes == 0 ? NULL : g_strchomp(g_strndup(text, bytes));
    g_free(text);
}

/* XEP-0082. Gajim 1.7.3 writes "+00:00Z", which is no date and no reason to refuse the file. */
static void read_date(struct file_description *file, const xml_node *node)
{
    char *text = xml_text(node);
    GTimeZone *utc = g_time_zone_new_utc();
    GDateTime *date = g_date_time_new_from_iso8601(text, utc);

    if (date != NULL) {
        file->date = g_date_time_to_unix(date);
        g_date_time_unref(date);
    }
    g_time_zone_unref(utc);
    g_free(text);
}

static bool read_size(struct file_description *file, const xml_node *node, const char **why)
{
    char *text = xml_text(node);
    guint64 size = 0;
    bool good = g_ascii_string_to_unsigned(text, 10, 0, NUMBER_MAX, &size, NULL);

    g_free(text);
    *why = "a file whose size is no number";
    if (!good || (file->has_size && file->size != size))
        return false;
    file->has_size = true;
    file->size = size;
    return true;
}

/* Missing is 0: the beginning, or to the end. */
static bool read_number(uint64_t *out, const xml_node *node, const char *name)
{
    return xml_attribute(node, name) == NULL || xml_attribute_number(node, name, NUMBER_MAX, out);
}

/* Hashes within are those of the range (XEP-0234, 8.1), which are not kept unless that is all. */
static bool read_range(struct file_description *file, const xml_node *node, const char **why)
{
    uint64_t offset = 0, length = 0;

    *why = "a file with a range that is none";
    if (file->has_range || !read_number(&offset, node, "offset") ||
        !read_number(&length, node, "length"))
        return false;
    file->has_range = true;
    file->range_offset = offset;
    file->range_length = length;
    XML_EACH (child, node) {
        if (is_hash(child) && offset == 0 && length == 0)
            read_hash(file, child);
    }
    return true;
}

static bool read_child(struct file_description *file, const xml_node *child, const char **why)
{
    const char *name = xml_name(child);

    if (is_hash(child))
        read_hash(file, child);
    if (strcmp(xml_ns(child), NS_FILE_TRANSFER_5) != 0)
        return true;
    if (strcmp(name, "name") == 0)
        read_text(&file->name, child, FILE_TEXT_MAX);
    else if (strcmp(name, "media-type") == 0 || strcmp(name, "mediaType") == 0)
        read_text(&file->media_type, child, FILE_TEXT_MAX);
    else if (strcmp(name, "desc") == 0)
        read_text(&file->desc, child, FILE_DESC_MAX);
    else if (strcmp(name, "date") == 0)
        read_date(file, child);
    else if (strcmp(name, "size") == 0)
        return read_size(file, child, why);
    else if (strcmp(name, "range") == 0)
        return read_range(file, child, why);
    return true;
}

/* The only <file/> in it, or NULL. */
static const xml_node *only_file(const xml_node *parent)
{
    const xml_node *found = NULL;

    XML_EACH (child, parent) {
        if (!xml_is(child, NS_FILE_TRANSFER_5, "file"))
            continue;
        if (found != NULL)
            return NULL;
        found = child;
    }
    return found;
}

bool file_description_read(struct file_description *file, const xml_node *description,
                           const char **why)
{
    const xml_node *node = only_file(description);

    memset(file, 0, sizeof(*file));
    *why = "not exactly one file";
    if (node == NULL)
        return false;
    XML_EACH (child, node) {
        if (!read_child(file, child, why)) {
            file_description_clear(file);
            return false;
        }
    }
    return true;
}

bool file_checksum_read(struct file_description *file, const xml_node *checksum, const char **why)
{
    struct file_description all;

    memset(file, 0, sizeof(*file));
    if (!file_description_read(&all, checksum, why))
        return false;
    memcpy(file->hashes, all.hashes, sizeof(file->hashes));
    file->hash_count = all.hash_count;
    file->has_range = all.has_range;
    file->range_offset = all.range_offset;
    file->range_length = all.range_length;
    file_description_clear(&all);
    return true;
}

/* ------------------------------------------------------------------------------- writing -- */

static void write_date(int64_t date, xml_node *file)
{
    GDateTime *utc = date == 0 ? NULL : g_date_time_new_from_unix_utc(date);

    if (utc == NULL)
        return;
    char *rest = g_date_time_format(utc, "-%m-%dT%H:%M:%SZ");
    char *text = g_strdup_printf("%04d%s", g_date_time_get_year(utc), rest);
    xml_add_text(file, NULL, "date", text);
    g_free(rest);
    g_free(text);
    g_date_time_unref(utc);
}

static void write_size(uint64_t size, xml_node *file)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, (guint64)size);
    xml_add_text(file, NULL, "size", text);
}

static void write_hashes(const struct file_description *file, xml_node *parent)
{
    for (size_t i = 0; i < file->hash_count; i++) {
        const struct file_hash *hash = &file->hashes[i];
        bool used = *hash->value == '\0';
        xml_node *node = xml_add(parent, NS_HASHES, used ? "hash-used" : "hash");
        xml_set(node, "algo", hash->algorithm);
        if (!used)
            xml_set_text(node, hash->value);
    }
}

static void write_range(const struct file_description *file, xml_node *parent)
{
    if (!file->has_range)
        return;
    xml_node *range = xml_add(parent, NULL, "range");
    if (file->range_offset != 0)
        xml_set_number(range, "offset", file->range_offset);
    if (file->range_length != 0)
        xml_set_number(range, "length", file->range_length);
}

void file_description_write(const struct file_description *file, xml_node *content)
{
    xml_node *description = xml_add(content, NS_FILE_TRANSFER_5, "description");
    xml_node *node = xml_add(description, NULL, "file");

    write_date(file->date, node);
    if (file->desc != NULL)
        xml_add_text(node, NULL, "desc", file->desc);
    if (file->media_type != NULL)
        xml_add_text(node, NULL, "media-type", file->media_type);
    if (file->name != NULL)
        xml_add_text(node, NULL, "name", file->name);
    write_range(file, node);
    if (file->has_size)
        write_size(file->size, node);
    write_hashes(file, node);
}

void file_checksum_write(const struct file_description *file, xml_node *checksum)
{
    xml_node *node = xml_add(checksum, NULL, "file");

    write_range(file, node);
    write_hashes(file, node);
}
