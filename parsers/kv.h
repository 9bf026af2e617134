/* The options of the kv parser: pairs anywhere in a line, in whatever dress.
 *
 * Thread: read-only. */
#ifndef SHIP_PARSERS_KV_H
#define SHIP_PARSERS_KV_H

struct kv_options {
    const char *pair_separator; /* each of its characters separates pairs */
    const char *separator;      /* each of its characters stands between a name and its value */
    const char *quotes;         /* each may stand around a value; "none" */
    const char *prefix;         /* before the names of the application's own fields; may be NULL */
};

#endif
