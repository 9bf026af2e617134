#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shipper/base/nearest.h"
#include "shipper/base/printable.h"
#include "shipper/verbs/verbs.h"

const struct verb *const verbs[] = {&verb_run,   &verb_replay, &verb_trace, &verb_dead,
                                    &verb_check, &verb_schema, &verb_help,  NULL};

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verbs[i]; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

int verb_unknown(const char *name)
{
    struct nearest near;

    nearest_init(&near, slice_str(name));
    for (size_t i = 0; verbs[i]; i++)
        nearest_offer(&near, verbs[i]->name);
    if (near.name)
        return usage_error(NULL, "unknown verb \"%.40s\"; did you mean \"%s\"?", name, near.name);
    return usage_error(NULL, "unknown verb \"%.40s\"", name);
}

int usage_error(const char *verb, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "ship: %s; see `ship help%s%s`\n", make_printable(text), verb ? " " : "",
            verb ? verb : "");
    return EXIT_USAGE;
}

int report_error(const struct err *e)
{
    char text[sizeof e->what + sizeof e->where + 4];

    err_text(e, text, sizeof text);
    fprintf(stderr, "ship: %s%s\n",
            e->code == ERR_CONFIG ? "config: " : "error: ", make_printable(text));
    return e->code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}
