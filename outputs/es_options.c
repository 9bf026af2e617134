#include <string.h>

#include "outputs/es_hosts.h"
#include "outputs/es_options.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/event.h"

const struct option es_option_list[ES_N_OPTIONS] = {
    {.name = "hosts",
     .type = OPTION_LIST,
     .offset = offsetof(struct es_options, hosts),
     .is_required = true,
     .help = "URLs of the cluster's nodes, http(s)://HOST[:9200][/PREFIX]"},
    {.name = "index",
     .type = OPTION_STRING,
     .offset = offsetof(struct es_options, index),
     .fallback = "logs-serverless.lambda-default",
     .help = "data stream, index or alias"},
    {.name = "user",
     .type = OPTION_STRING,
     .offset = offsetof(struct es_options, user),
     .help = "name for basic authentication"},
    {.name = "password",
     .type = OPTION_SECRET,
     .offset = offsetof(struct es_options, password),
     .help = "its password"},
    {.name = "api_key",
     .type = OPTION_SECRET,
     .offset = offsetof(struct es_options, api_key),
     .help = "API key: \"id:key\", or the encoded form"},
    {.name = "tls.ca_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct es_options, ca_file),
     .help = "certificates to trust (PEM) instead of the system's"},
    {.name = "tls.verify",
     .type = OPTION_BOOL,
     .offset = offsetof(struct es_options, verify),
     .fallback = "true",
     .help = "check the server's certificate and name"},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .offset = offsetof(struct es_options, timeout_ms),
     .fallback = "90s",
     .min = 100,
     .max = 3600000,
     .help = "for one request"},
    {.name = "connect_timeout",
     .type = OPTION_DURATION,
     .offset = offsetof(struct es_options, connect_ms),
     .fallback = "10s",
     .min = 100,
     .max = 600000,
     .help = "for a connection to be made"},
    {.name = "concurrency",
     .type = OPTION_INT,
     .offset = offsetof(struct es_options, concurrency),
     .fallback = "4",
     .min = 1,
     .max = 32,
     .help = "requests under way at once, at most; fewer while the cluster has enough"},
    {.name = "pipeline",
     .type = OPTION_STRING,
     .offset = offsetof(struct es_options, pipeline),
     .help = "ingest pipeline"},
};

/* The rules for names of indices and data streams (create data stream API). */
static int check_index(const char *name, struct err *e)
{
    size_t len = strlen(name);

    if (len == 0 || len > ES_NAME_MAX)
        return err_set(e, ERR_CONFIG, "a name has 1 to %d bytes, this one %zu", ES_NAME_MAX, len);
    if (strchr("-_+.", name[0]))
        return err_set(e, ERR_CONFIG, "\"%s\" begins with one of - _ + .", name);
    for (const char *p = name; *p; p++)
        if ((*p >= 'A' && *p <= 'Z') || (unsigned char)*p <= ' ' || strchr("\\/*?\"<>|,#:", *p))
            return err_set(
                e, ERR_CONFIG,
                "\"%s\": names are lower case and without blanks and \\ / * ? \" < > | , # :",
                name);
    return 0;
}

/* What ends up in a header must not end it; a secret file written on another system may end in CR.
 */
static int check_header_text(const char *name, const char *text, struct err *e)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            err_set(e, ERR_CONFIG, "holds a control character; is there a line end in it?");
            return err_at(e, "%s", name);
        }
    return 0;
}

static int check_credentials(const struct es_options *o, const struct es_hosts *hosts,
                             struct err *e)
{
    bool in_url = false;

    for (size_t i = 0; i < hosts->n_hosts; i++)
        in_url |= hosts->hosts[i].user[0] != '\0';
    if (check_header_text("user", o->user, e) < 0 ||
        check_header_text("password", o->password, e) < 0 ||
        check_header_text("api_key", o->api_key, e) < 0)
        return -1;
    if (o->user && !o->password) {
        err_set(e, ERR_CONFIG, "user without password");
        return err_at(e, "user");
    }
    if (o->password && !o->user) {
        err_set(e, ERR_CONFIG, "password without user");
        return err_at(e, "password");
    }
    if (o->api_key && (o->user || in_url)) {
        err_set(e, ERR_CONFIG, "give either api_key or user and password, not both");
        return err_at(e, "api_key");
    }
    return 0;
}

int es_validate(const void *opts, struct err *e)
{
    const struct es_options *o = opts;
    struct es_hosts hosts;
    int rc;

    if (es_hosts_init(&hosts, &o->hosts, e) < 0)
        return -1;
    rc = check_credentials(o, &hosts, e);
    es_hosts_fini(&hosts);
    if (rc < 0)
        return -1;
    if (check_index(o->index, e) < 0)
        return err_at(e, "index");
    if (o->pipeline && (!o->pipeline[0] || strlen(o->pipeline) > ES_NAME_MAX)) {
        err_set(e, ERR_CONFIG, "a name has 1 to %d bytes, this one %zu", ES_NAME_MAX,
                strlen(o->pipeline));
        return err_at(e, "pipeline");
    }
    return 0;
}

/* The whole host, since localhost.example.org is another one; our URLs always say a port. */
static bool is_loopback(const char *url)
{
    struct slice rest = slice_str(url + strlen("http://"));
    struct slice host;

    if (slice_starts(rest, slice_str("[::1]:")))
        return true;
    if (!slice_cut(&rest, ':', &host))
        return false;
    return slice_is(host, "localhost") ||
           (slice_starts(host, slice_str("127.")) && strspn(host.ptr, "0123456789.") == host.len);
}

void es_warn(const void *opts, struct buffer *out)
{
    const struct es_options *o = opts;
    struct es_hosts hosts;

    if (!o->verify)
        buffer_add_lit(out, "tls.verify is off: anyone between here and the server can read along "
                            "and take its place\n");
    if (es_hosts_init(&hosts, &o->hosts, NULL) < 0)
        return;
    for (size_t i = 0; i < hosts.n_hosts; i++) {
        const struct es_host *h = &hosts.hosts[i];

        if ((o->user || o->api_key || h->user[0]) && strncmp(h->url, "http://", 7) == 0 &&
            !is_loopback(h->url)) {
            buffer_add_lit(out, "credentials go over plain http to ");
            buffer_add_slice(out, slice_str(h->url));
            buffer_add_lit(out, ": anyone on the way can read them\n");
        }
    }
    es_hosts_fini(&hosts);
}

void es_encode(const void *opts, const struct event *event, struct buffer *body)
{
    (void)opts;
    if (event->stream->has_id) {
        buffer_add_lit(body, "{\"create\":{\"_id\":\"");
        buffer_add(body, event->id, sizeof event->id);
        buffer_add_lit(body, "\"}}\n");
    } else {
        buffer_add_lit(body, "{\"create\":{}}\n");
    }
    document_encode(event, false, body);
    buffer_add_char(body, '\n');
}
