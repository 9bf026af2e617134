#include "parsers/access_parts.h"

#include "parsers/quoted.h"
#include "parsers/regex_fill.h"

enum { ROOM_FOR_NUMBERS = 64 };

const struct ecs_field access_fields[ACCESS_N_FIELDS] = {
    [ACCESS_SOURCE_ADDRESS] = {SLICE_LIT("source.address"), ECS_KEYWORD},
    [ACCESS_SOURCE_IP] = {SLICE_LIT("source.ip"), ECS_IP},
    [ACCESS_SOURCE_PORT] = {SLICE_LIT("source.port"), ECS_LONG},
    [ACCESS_TARGET_ADDRESS] = {SLICE_LIT("destination.address"), ECS_KEYWORD},
    [ACCESS_TARGET_IP] = {SLICE_LIT("destination.ip"), ECS_IP},
    [ACCESS_TARGET_PORT] = {SLICE_LIT("destination.port"), ECS_LONG},
    [ACCESS_USER] = {SLICE_LIT("user.name"), ECS_KEYWORD},
    [ACCESS_METHOD] = {SLICE_LIT("http.request.method"), ECS_KEYWORD},
    [ACCESS_VERSION] = {SLICE_LIT("http.version"), ECS_KEYWORD},
    [ACCESS_REFERRER] = {SLICE_LIT("http.request.referrer"), ECS_KEYWORD},
    [ACCESS_REQUEST_ID] = {SLICE_LIT("http.request.id"), ECS_KEYWORD},
    [ACCESS_REQUEST_BYTES] = {SLICE_LIT("http.request.bytes"), ECS_LONG},
    [ACCESS_STATUS] = {SLICE_LIT("http.response.status_code"), ECS_LONG},
    [ACCESS_RESPONSE_BYTES] = {SLICE_LIT("http.response.bytes"), ECS_LONG},
    [ACCESS_BODY_BYTES] = {SLICE_LIT("http.response.body.bytes"), ECS_LONG},
    [ACCESS_MIME_TYPE] = {SLICE_LIT("http.response.mime_type"), ECS_KEYWORD},
    [ACCESS_URL] = {SLICE_LIT("url.original"), ECS_KEYWORD},
    [ACCESS_SCHEME] = {SLICE_LIT("url.scheme"), ECS_KEYWORD},
    [ACCESS_DOMAIN] = {SLICE_LIT("url.domain"), ECS_KEYWORD},
    [ACCESS_PORT] = {SLICE_LIT("url.port"), ECS_LONG},
    [ACCESS_PATH] = {SLICE_LIT("url.path"), ECS_KEYWORD},
    [ACCESS_QUERY] = {SLICE_LIT("url.query"), ECS_KEYWORD},
    [ACCESS_USER_AGENT] = {SLICE_LIT("user_agent.original"), ECS_KEYWORD},
    [ACCESS_DURATION] = {SLICE_LIT("event.duration"), ECS_LONG},
    [ACCESS_OUTCOME] = {SLICE_LIT("event.outcome"), ECS_KEYWORD},
    [ACCESS_REASON] = {SLICE_LIT("event.reason"), ECS_KEYWORD},
    [ACCESS_TLS_CIPHER] = {SLICE_LIT("tls.cipher"), ECS_KEYWORD},
    [ACCESS_TLS_VERSION] = {SLICE_LIT("tls.version"), ECS_KEYWORD},
    [ACCESS_TLS_PROTOCOL] = {SLICE_LIT("tls.version_protocol"), ECS_KEYWORD},
    [ACCESS_TLS_NAME] = {SLICE_LIT("tls.client.server_name"), ECS_KEYWORD},
};

bool access_start(struct access *a, struct parse_scratch *scratch, struct slice line,
                  struct record *out, size_t n_most)
{
    a->scratch = scratch;
    a->out = out;
    a->has = 0;
    return buffer_reserve(&scratch->text, 2 * line.len + ROOM_FOR_NUMBERS) &&
           fill_start(&a->filling, scratch, out, n_most);
}

bool access_word(struct slice *rest, struct slice *word)
{
    bool ignored;

    while (rest->len && *rest->ptr == ' ')
        *rest = slice_from(*rest, 1);
    if (!rest->len)
        return false;
    if (*rest->ptr == '"')
        return quoted_cut(rest, word, &ignored);
    if (!slice_cut(rest, ' ', word)) {
        *word = *rest;
        *rest = slice_from(*rest, rest->len);
    }
    return true;
}

static bool is_said(struct slice text)
{
    return text.len && !slice_is(text, "-");
}

void access_put(struct access *a, enum access_field field, struct slice text)
{
    if (!(a->has & 1u << field) && fill_root(a->out, a->scratch, &access_fields[field], text))
        a->has |= 1u << field;
}

void access_put_quoted(struct access *a, enum access_field field, struct slice text)
{
    struct buffer *b = &a->scratch->text;
    size_t from = b->len;

    if (text.len && memchr(text.ptr, '\\', text.len)) {
        quoted_decode(text, b);
        text = slice_from(buffer_slice(b), from);
    }
    access_put(a, field, text);
}

void access_own(struct access *a, const char *name, enum group_type type, struct slice text)
{
    if (is_said(text))
        fill_own(&a->filling, slice_str(name), regex_typed(type, text));
}

/* ------------------------------------------------------------------ who */

void access_peer(struct access *a, enum access_field address, struct slice text)
{
    struct slice host = text;
    struct slice port = slice_of(NULL, 0);
    struct slice rest = text;

    if (!is_said(text))
        return;
    if (*text.ptr == '[' && slice_cut(&rest, ']', &host)) {
        host = slice_from(host, 1);
        port = rest.len ? slice_from(rest, 1) : rest;
    } else if (slice_cut(&rest, ':', &host) && !memchr(rest.ptr, ':', rest.len)) {
        port = rest;
    } else {
        host = text; /* without a colon, or IPv6 without a port */
    }
    access_put(a, address, host);
    access_put(a, address + 1, host);
    access_put(a, address + 2, port);
}

/* ------------------------------------------------------------------ what */

static void put_host(struct access *a, struct slice host)
{
    struct slice rest = host;
    struct slice name = host;
    bool has_brackets = host.len && *host.ptr == '[';

    if (has_brackets && slice_cut(&rest, ']', &name))
        name = slice_of(name.ptr, name.len + 1);
    else if (!slice_cut(&rest, ':', &name))
        rest = slice_of(NULL, 0);
    if (has_brackets && rest.len)
        rest = slice_from(rest, 1);
    access_put(a, ACCESS_DOMAIN, name);
    access_put(a, ACCESS_PORT, rest);
}

void access_url(struct access *a, struct slice text)
{
    struct slice rest = text;
    ptrdiff_t mark = slice_find(text, slice_str("://"));
    struct slice path;

    access_put(a, ACCESS_URL, text);
    if (mark > 0 && mark < 12) {
        size_t len;

        access_put(a, ACCESS_SCHEME, slice_of(text.ptr, (size_t)mark));
        rest = slice_from(text, (size_t)mark + 3);
        for (len = 0; len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?';)
            len++;
        put_host(a, slice_of(rest.ptr, len));
        rest = slice_from(rest, len);
    } else if (!text.len || (*text.ptr != '/' && *text.ptr != '*')) {
        return; /* CONNECT's host and port, or anything */
    }
    if (slice_cut(&rest, '?', &path))
        access_put(a, ACCESS_QUERY, rest);
    else
        path = rest;
    access_put(a, ACCESS_PATH, path);
}

static bool is_method(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] < 'A' || s.ptr[i] > 'Z') && s.ptr[i] != '-' && s.ptr[i] != '_')
            return false;
    return s.len > 0 && s.len < 32;
}

void access_request(struct access *a, struct slice text)
{
    struct buffer *b = &a->scratch->text;
    size_t from = b->len;
    struct slice rest;
    struct slice method;
    struct slice url;

    if (text.len && memchr(text.ptr, '\\', text.len)) {
        quoted_decode(text, b);
        text = slice_from(buffer_slice(b), from);
    }
    rest = text;
    if (!slice_cut(&rest, ' ', &method) || !is_method(method) || !rest.len) {
        access_own(a, "request", GROUP_STRING, slice_trim(text));
        return;
    }
    access_put(a, ACCESS_METHOD, method);
    if (!slice_cut(&rest, ' ', &url)) { /* HTTP/0.9, or a gateway that says no protocol */
        url = rest;
        rest = slice_of(NULL, 0);
    }
    access_url(a, url);
    if (slice_starts(rest, slice_str("HTTP/")))
        access_put(a, ACCESS_VERSION, slice_from(rest, 5));
}

/* ------------------------------------------------------------------ how it went */

bool access_is_status(struct slice s)
{
    return s.len == 3 && s.ptr[0] >= '0' && s.ptr[0] <= '9' && s.ptr[1] >= '0' && s.ptr[1] <= '9' &&
           s.ptr[2] >= '0' && s.ptr[2] <= '9';
}

void access_status(struct access *a, struct slice text)
{
    if (!access_is_status(text))
        return;
    access_put(a, ACCESS_STATUS, text);
    if (*text.ptr != '0')
        access_put(a, ACCESS_OUTCOME, slice_str(*text.ptr < '4' ? "success" : "failure"));
}

void access_tls(struct access *a, struct slice text)
{
    if (slice_starts(text, slice_str("TLSv"))) {
        access_put(a, ACCESS_TLS_VERSION, slice_from(text, 4));
        access_put(a, ACCESS_TLS_PROTOCOL, slice_str("tls"));
    } else {
        access_own(a, "ssl_protocol", GROUP_STRING, text);
    }
}

int64_t access_ns(struct slice s, int64_t unit_ns)
{
    int64_t n = 0;
    size_t at = 0;

    for (; at < s.len && at < 9 && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
        n = n * 10 + (s.ptr[at] - '0');
    n *= unit_ns;
    if (at == 0 || at == s.len)
        return at ? n : -1;
    if (s.ptr[at++] != '.' || at == s.len)
        return -1;
    for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++) {
        unit_ns /= 10;
        n += unit_ns * (s.ptr[at] - '0');
    }
    return at == s.len ? n : -1;
}

void access_duration(struct access *a, int64_t ns)
{
    struct buffer *b = &a->scratch->text;
    size_t from = b->len;

    if (ns < 0)
        return;
    buffer_add_int(b, ns);
    access_put(a, ACCESS_DURATION, slice_from(buffer_slice(b), from));
}

bool access_time(struct access *a, struct slice text)
{
    return parse_take_usual_time(&a->scratch->times, text, a->out);
}
