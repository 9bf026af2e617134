/* The common log format of NCSA httpd, and what grew from it: combined (Apache, nginx), with a
 * virtual host in front, with more behind it (X-Forwarded-For, the time that it took, API Gateway's
 * ids). */
#include "parsers/access_parts.h"
#include "parsers/lambda.h"

enum { MOST_OWN = 8 };

/* "10.0.0.1 - bob [09/Oct/2026:10:53:20 +0200]", in parts. */
struct head {
    struct slice host; /* "x.example:80" in front of all; empty: there is none */
    struct slice client;
    struct slice ident;
    struct slice user;
    struct slice time;
};

/* "x.example:80": the name that Apache's vhost_combined begins with. */
static bool is_host_and_port(struct slice s)
{
    struct slice name;

    return slice_cut(&s, ':', &name) && name.len && ecs_is_integer(s) && s.len <= 5;
}

static bool cut_head(struct slice *rest, struct head *out)
{
    struct slice who;

    memset(out, 0, sizeof *out);
    if (!slice_cut(rest, '[', &who) || !slice_cut(rest, ']', &out->time) || !who.len ||
        who.ptr[who.len - 1] != ' ' || !rest->len || *rest->ptr != ' ')
        return false;
    who.len--;
    if (!slice_cut(&who, ' ', &out->client))
        return false;
    if (is_host_and_port(out->client)) {
        struct slice ahead = who;

        if (slice_cut(&ahead, ' ', &out->ident) && memchr(ahead.ptr, ' ', ahead.len)) {
            out->host = out->client;
            out->client = out->ident;
            who = ahead;
        }
    }
    if (!slice_cut(&who, ' ', &out->ident))
        return false;
    out->user = who; /* may have blanks in it */
    return out->client.len > 0 && who.len > 0;
}

static bool is_bytes(struct slice s)
{
    return slice_is(s, "-") || (ecs_is_integer(s) && *s.ptr != '-');
}

/* "0.005": nginx's $request_time has three digits, and no other number there has a dot. */
static bool is_seconds(struct slice s)
{
    return s.len >= 5 && s.ptr[s.len - 4] == '.' && access_ns(s, 1) >= 0;
}

/* What may stand behind bytes, referrer and agent; a word that says nothing to us stays in the
 * message. */
static void put_rest(struct access *a, struct slice rest)
{
    struct slice word;
    bool has_seconds = false;

    for (int i = 0; access_word(&rest, &word); i++) {
        bool is_quoted = rest.ptr[-1] == '"';

        if (i == 0 && lambda_is_request_id(word)) {
            access_put(a, ACCESS_REQUEST_ID, word);
            if (access_word(&rest, &word))
                access_own(a, "extended_request_id", GROUP_STRING, word);
        } else if (i == 0 && is_quoted) {
            access_own(a, "x_forwarded_for", GROUP_STRING, word);
        } else if (!is_quoted && !has_seconds && is_seconds(word)) {
            access_duration(a, access_ns(word, 1000000000));
            has_seconds = true;
        }
    }
}

static bool is_quote_next(struct slice rest)
{
    while (rest.len && *rest.ptr == ' ')
        rest = slice_from(rest, 1);
    return rest.len && *rest.ptr == '"';
}

/* "referrer" "agent", if both are there. */
static void put_combined(struct access *a, struct slice *rest)
{
    struct slice ahead = *rest;
    struct slice referrer;
    struct slice agent;

    if (!is_quote_next(ahead) || !access_word(&ahead, &referrer) || !is_quote_next(ahead) ||
        !access_word(&ahead, &agent))
        return;
    access_put_quoted(a, ACCESS_REFERRER, referrer);
    access_put_quoted(a, ACCESS_USER_AGENT, agent);
    *rest = ahead;
}

static void put_host(struct access *a, struct slice host)
{
    struct slice name;

    if (slice_cut(&host, ':', &name)) {
        access_put(a, ACCESS_DOMAIN, name);
        access_put(a, ACCESS_PORT, host);
    }
}

bool access_clf_parse(struct parse_scratch *scratch, struct slice line, struct record *out)
{
    struct slice rest = line;
    struct head head;
    struct slice request;
    struct slice status;
    struct slice bytes;
    struct access a;

    if (!cut_head(&rest, &head) || rest.len < 2 || rest.ptr[1] != '"' ||
        !access_word(&rest, &request) || !access_word(&rest, &status) ||
        !access_word(&rest, &bytes) || !is_bytes(bytes) ||
        (!access_is_status(status) && !slice_is(status, "-")) ||
        !access_start(&a, scratch, line, out, MOST_OWN) || !access_time(&a, head.time))
        return false;
    access_peer(&a, ACCESS_SOURCE_ADDRESS, head.client);
    access_own(&a, "ident", GROUP_STRING, head.ident);
    access_put(&a, ACCESS_USER, head.user);
    access_request(&a, request);
    if (head.host.len && !memchr(request.ptr, ':', request.len)) /* else the URL says it */
        put_host(&a, head.host);
    access_status(&a, status);
    access_put(&a, ACCESS_BODY_BYTES, bytes);
    put_combined(&a, &rest);
    put_rest(&a, rest);
    return true;
}
