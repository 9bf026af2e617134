#include <stdlib.h>
#include <string.h>

#include "shipper/verbs/where.h"

static int set(struct config *c, struct output_config *out, const char *name, const char *value,
               struct err *e)
{
    return value ? config_set(c, &out->ops->options, out->options, name, value, e) : 0;
}

static int set_user(struct config *c, struct output_config *out, const char *user, struct err *e)
{
    const char *colon = user ? strchr(user, ':') : NULL;
    char *name;
    int rc;

    if (!user)
        return 0;
    if (!colon)
        return err_set(e, ERR_CONFIG, "--user wants NAME:PASSWORD");
    name = strndup(user, (size_t)(colon - user));
    if (!name)
        return err_set(e, ERR_NOMEM, "out of memory");
    rc = set(c, out, "user", name, e);
    free(name);
    return rc < 0 ? rc : set(c, out, "password", colon + 1, e);
}

static int add_elasticsearch(struct config *c, const char *url, const struct where_options *options,
                             struct err *e)
{
    struct output_config *out = config_add_output(c, "elasticsearch", e);

    if (!out || set(c, out, "hosts", url, e) < 0 || set(c, out, "index", options->index, e) < 0 ||
        set_user(c, out, options->user, e) < 0 || set(c, out, "api_key", options->api_key, e) < 0)
        return -1;
    return set(c, out, "tls.ca_file", options->ca_file, e);
}

static int add_local(struct config *c, const char *path, struct err *e)
{
    struct output_config *out = config_add_output(c, "local", e);

    return out ? set(c, out, "path", path, e) : -1;
}

const char *where_shown(const char *where)
{
    const char *at = strrchr(where, '@');

    return at ? at + 1 : where;
}

/* They are argv's and environ's bytes, which are ours to write. */
static void blot_out(const char *text, size_t len)
{
    memset((char *)text, 'x', len);
}

void where_hide(const struct where_options *options, const char *where)
{
    const char *user = where ? strstr(where, "://") : NULL;
    const char *at = user ? strrchr(user, '@') : NULL;

    if (at)
        blot_out(user + 3, (size_t)(at - user) - 3);
    if (options->user)
        blot_out(options->user, strlen(options->user));
    if (options->api_key)
        blot_out(options->api_key, strlen(options->api_key));
}

int where_add_output(struct config *c, const char *where, const struct where_options *options,
                     struct err *e)
{
    if (strcmp(where, "-") == 0)
        return config_add_output(c, "stdout", e) ? 0 : -1;
    if (strncmp(where, "local:", 6) == 0 && where[6])
        return add_local(c, where + 6, e);
    if (strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0)
        return add_elasticsearch(c, where, options, e);
    if (options->flag)
        err_set(e, ERR_CONFIG,
                "\"%.60s\" is no place; want local:FILE, http://HOST:PORT or https://HOST:PORT",
                where_shown(where));
    else
        err_set(e, ERR_CONFIG,
                "\"%.60s\" is no place to send to; want -, local:FILE, http://HOST:PORT or "
                "https://HOST:PORT; nothing was read",
                where_shown(where));
    return err_at(e, "%s", options->flag ? options->flag : "--to");
}
