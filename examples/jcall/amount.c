/* Binary units, as file managers and `ls -h` have them: 1 KiB is 1024 bytes. */
#include "amount.h"

#include <glib.h>
#include <string.h>

#define STEP 1024.0
#define MOST 9e18 /* fits into an int64_t, as file sizes must */

static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* The factor of "k", "KiB", "kB" ...; 0 if `text` is no unit. */
static double unit_factor(const char *text)
{
    static const char letters[] = "kMGTP";
    if (g_ascii_strcasecmp(text, "") == 0 || g_ascii_strcasecmp(text, "b") == 0) {
        return 1;
    }
    double factor = STEP;
    for (const char *letter = letters; *letter; letter++, factor *= STEP) {
        const char *rest = text + 1;
        if (g_ascii_tolower(*text) == g_ascii_tolower(*letter) &&
            (!*rest || g_ascii_strcasecmp(rest, "b") == 0 || g_ascii_strcasecmp(rest, "ib") == 0)) {
            return factor;
        }
    }
    return 0;
}

bool amount_parse(const char *text, uint64_t *bytes)
{
    char *end = NULL;
    if (!g_ascii_isdigit(*text) || strspn(text, "0123456789.") > 18) {
        return false;
    }
    double number = g_ascii_strtod(text, &end);
    if (end != text + strspn(text, "0123456789.")) { /* no hexadecimals, no exponents */
        return false;
    }
    end += strspn(end, " ");
    double result = number * unit_factor(end);
    if ((result < 1 && number > 0) || result > MOST) {
        return false;
    }
    *bytes = (uint64_t)result;
    return true;
}

/* The unit in which `bytes` has three digits before the point at most. */
static unsigned unit_find(uint64_t bytes, double *scale)
{
    unsigned unit = 0;
    *scale = 1;
    while ((double)bytes / *scale >= 999.5 && unit + 1 < G_N_ELEMENTS(units)) {
        *scale *= STEP;
        unit++;
    }
    return unit;
}

/* Digits behind the point, so that there are three of them in all. */
static int places(double number)
{
    return number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
}

char *amount_bytes(uint64_t bytes)
{
    double scale;
    unsigned unit = unit_find(bytes, &scale);
    double number = (double)bytes / scale;
    return g_strdup_printf("%.*f %s", unit == 0 ? 0 : places(number), number, units[unit]);
}

char *amount_part(uint64_t bytes, uint64_t whole)
{
    double scale;
    unsigned unit = unit_find(whole, &scale);
    double number = (double)whole / scale;
    int digits = unit == 0 ? 0 : places(number);
    return g_strdup_printf("%.*f of %.*f %s", digits, (double)bytes / scale, digits, number,
                           units[unit]);
}

char *amount_rate(uint64_t bytes_per_second)
{
    char *bytes = amount_bytes(bytes_per_second);
    char *rate = g_strconcat(bytes, "/s", NULL);
    g_free(bytes);
    return rate;
}

char *amount_time(int64_t microseconds)
{
    int64_t seconds = microseconds / G_USEC_PER_SEC;
    if (seconds < 3600) {
        return g_strdup_printf("%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
    }
    return g_strdup_printf("%" G_GINT64_FORMAT ":%02d:%02d", seconds / 3600,
                           (int)(seconds / 60 % 60), (int)(seconds % 60));
}
