#include <stdarg.h>
#include <stdio.h>

#include "shipper/base/error.h"

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (!e)
        return -1;
    e->code = code;
    e->where[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(e->what, sizeof e->what, fmt, ap);
    va_end(ap);
    return -1;
}

int err_at(struct err *e, const char *fmt, ...)
{
    char old[sizeof e->where];
    int n;
    va_list ap;

    if (!e)
        return -1;
    snprintf(old, sizeof old, "%s", e->where);
    va_start(ap, fmt);
    n = vsnprintf(e->where, sizeof e->where, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n + 3 < sizeof e->where && old[0])
        snprintf(e->where + n, sizeof e->where - (size_t)n, ": %.*s",
                 (int)(sizeof e->where - (size_t)n - 3), old);
    return -1;
}

const char *err_text(const struct err *e, char *buf, unsigned long cap)
{
    snprintf(buf, cap, "%s%s%s", e->where, e->where[0] ? ": " : "", e->what);
    return buf;
}
