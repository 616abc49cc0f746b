/* Reads the configuration file and other files with secrets in them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_GROUP     "jcall"
#define CONFIG_BYTES_MAX 65536

struct file {
    char *text;
    size_t bytes;
    bool others_read; /* somebody else may read it, so a secret in it is none */
};

static bool file_fill(struct file *file, int descriptor)
{
    file->text = g_malloc(CONFIG_BYTES_MAX + 1);
    while (file->bytes < CONFIG_BYTES_MAX) {
        ssize_t got = read(descriptor, file->text + file->bytes, CONFIG_BYTES_MAX - file->bytes);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            break;
        }
        file->bytes += (size_t)got;
    }
    file->text[file->bytes] = '\0';
    return true;
}

/* The permissions are asked of the open file, so that it cannot be exchanged in between. */
static bool file_read(struct file *file, const char *path)
{
    *file = (struct file){0};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    struct stat status;
    bool good = fstat(descriptor, &status) == 0 && file_fill(file, descriptor);
    if (good && S_ISREG(status.st_mode)) {
        file->others_read = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    }
    int why = errno;
    close(descriptor);
    if (!good) {
        g_clear_pointer(&file->text, g_free);
    }
    errno = why;
    return good;
}

static void file_wipe(struct file *file)
{
    if (file->text) {
        explicit_bzero(file->text, file->bytes);
    }
    g_free(file->text);
}

static char *others_message(const char *path)
{
    char *quoted = g_shell_quote(path);
    char *message = g_strdup_printf("Others may read %s, which holds a password; run: chmod 600 %s",
                                    path, quoted);
    g_free(quoted);
    return message;
}

char *config_read_secret(const char *path, char **message)
{
    struct file file;
    if (!file_read(&file, path)) {
        *message = g_strdup_printf("%s cannot be read: %s.", path, g_strerror(errno));
        return NULL;
    }
    char *secret = NULL;
    if (file.others_read) {
        *message = others_message(path);
    } else {
        secret = g_strndup(file.text, strcspn(file.text, "\r\n"));
        if (!*secret) {
            *message = g_strdup_printf("%s is empty; its first line should be the password.", path);
            g_clear_pointer(&secret, g_free);
        }
    }
    file_wipe(&file);
    return secret;
}

/* "true" gives --key, "false" gives --no-key where there is such a thing, else --key=value. */
static void config_add(struct config *config, const char *key, const char *value)
{
    if (strcmp(value, "true") == 0) {
        g_ptr_array_add(config->arguments, g_strdup_printf("--%s", key));
    } else if (strcmp(value, "false") == 0) {
        g_ptr_array_add(config->arguments, g_strdup_printf("--no-%s", key));
    } else {
        g_ptr_array_add(config->arguments, g_strdup_printf("--%s=%s", key, value));
    }
}

static bool config_take(struct config *config, GKeyFile *keys, const char *path, char **message)
{
    char **names = g_key_file_get_keys(keys, CONFIG_GROUP, NULL, NULL);
    if (!names) {
        *message =
            g_strdup_printf("%s has no line [" CONFIG_GROUP "] at its top; see jcall(1).", path);
        return false;
    }
    for (char **name = names; *name; name++) {
        char *value = g_key_file_get_string(keys, CONFIG_GROUP, *name, NULL);
        if (!value) {
            *message = g_strdup_printf("%s: the value of %s is not valid text.", path, *name);
            break;
        }
        if (strcmp(*name, "password") == 0) {
            g_free(config->password);
            config->password = value;
            continue;
        }
        config_add(config, *name, value);
        if (strcmp(*name, "jid") == 0) {
            g_free(config->jid);
            config->jid = g_strdup(value);
        }
        g_free(value);
    }
    g_strfreev(names);
    return !*message;
}

static bool config_parse(struct config *config, const struct file *file, const char *path,
                         char **message)
{
    GKeyFile *keys = g_key_file_new();
    GError *error = NULL;
    bool good = g_key_file_load_from_data(keys, file->text, file->bytes, G_KEY_FILE_NONE, &error);
    if (!good) {
        *message = g_strdup_printf("%s: %s", path, error->message);
        g_error_free(error);
    }
    good = good && config_take(config, keys, path, message);
    g_key_file_free(keys);
    if (good && config->password && file->others_read) {
        *message = others_message(path);
        good = false;
    }
    return good;
}

bool config_read(struct config *config, const char *path, char **message)
{
    *config = (struct config){.arguments = g_ptr_array_new_with_free_func(g_free)};
    *message = NULL;
    char *usual = g_build_filename(g_get_user_config_dir(), "jcall", "config", NULL);
    const char *chosen = path ? path : usual;
    struct file file;
    bool good;
    if (file_read(&file, chosen)) {
        good = config_parse(config, &file, chosen, message);
        file_wipe(&file);
    } else {
        good = !path && (errno == ENOENT || errno == ENOTDIR);
        if (!good) {
            *message = g_strdup_printf("%s cannot be read: %s.", chosen, g_strerror(errno));
        }
    }
    g_free(usual);
    if (!good) {
        config_clear(config);
    }
    return good;
}

void config_clear(struct config *config)
{
    g_clear_pointer(&config->arguments, g_ptr_array_unref);
    g_clear_pointer(&config->jid, g_free);
    if (config->password) {
        explicit_bzero(config->password, strlen(config->password));
    }
    g_clear_pointer(&config->password, g_free);
}
