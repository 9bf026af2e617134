/* CloudFront's standard logs: columns between tabs, in a fixed order, behind two lines that name
 * them. */
#include "parsers/access_parts.h"
#include "parsers/quoted.h"

enum { MOST_COLUMNS = 40, LEAST_COLUMNS = 12, MOST_OWN = 24 };

enum column {
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_EDGE,
    COLUMN_SENT,
    COLUMN_CLIENT,
    COLUMN_METHOD,
    COLUMN_HOST, /* the distribution's */
    COLUMN_PATH,
    COLUMN_STATUS,
    COLUMN_REFERRER,
    COLUMN_AGENT,
    COLUMN_QUERY,
    COLUMN_COOKIE,
    COLUMN_RESULT,
    COLUMN_REQUEST_ID,
    COLUMN_VIEWER_HOST,
    COLUMN_SCHEME,
    COLUMN_RECEIVED,
    COLUMN_TOOK,
    COLUMN_FORWARDED,
    COLUMN_TLS,
    COLUMN_CIPHER,
    COLUMN_RESPONSE_RESULT,
    COLUMN_VERSION,
    COLUMN_FLE_STATUS,
    COLUMN_FLE_FIELDS,
    COLUMN_PORT,
    COLUMN_FIRST_BYTE,
    COLUMN_DETAILED_RESULT,
    COLUMN_TYPE,
    COLUMN_LENGTH,
};

static size_t cut_columns(struct slice rest, struct slice *columns)
{
    size_t n = 0;

    while (n < MOST_COLUMNS - 1 && slice_cut(&rest, '\t', &columns[n]))
        n++;
    columns[n++] = rest;
    return n;
}

/* "2026-10-09" and "08:53:20" */
static bool take_time(struct access *a, const struct slice *columns)
{
    struct buffer *b = &a->scratch->text;
    size_t from = b->len;

    if (columns[COLUMN_DATE].len != 10 || columns[COLUMN_TIME].len != 8)
        return false;
    buffer_add_slice(b, columns[COLUMN_DATE]);
    buffer_add_char(b, 'T');
    buffer_add_slice(b, columns[COLUMN_TIME]);
    return access_time(a, slice_from(buffer_slice(b), from));
}

static void put_decoded(struct access *a, enum access_field field, struct slice text)
{
    struct buffer *b = &a->scratch->text;
    size_t from = b->len;

    if (text.len && memchr(text.ptr, '%', text.len)) {
        percent_decode(text, b);
        text = slice_from(buffer_slice(b), from);
    }
    access_put(a, field, text);
}

/* Path and query stand in columns of their own, and have been one. */
static void put_url(struct access *a, struct slice path, struct slice query)
{
    struct buffer *b = &a->scratch->text;
    size_t from = b->len;
    struct slice whole = path;

    access_put(a, ACCESS_PATH, path);
    access_put(a, ACCESS_QUERY, query);
    if (query.len && !slice_is(query, "-")) {
        buffer_add_slice(b, path);
        buffer_add_char(b, '?');
        buffer_add_slice(b, query);
        whole = slice_from(buffer_slice(b), from);
    }
    access_put(a, ACCESS_URL, whole);
}

static void put_own(struct access *a, const struct slice *columns, size_t n)
{
    static const struct {
        const char *name;
        enum column column;
        enum group_type type;
    } own[] = {
        {"x-edge-location", COLUMN_EDGE, GROUP_STRING},
        {"cs(Host)", COLUMN_HOST, GROUP_STRING},
        {"cs(Cookie)", COLUMN_COOKIE, GROUP_STRING},
        {"x-edge-result-type", COLUMN_RESULT, GROUP_STRING},
        {"x-forwarded-for", COLUMN_FORWARDED, GROUP_STRING},
        {"x-edge-response-result-type", COLUMN_RESPONSE_RESULT, GROUP_STRING},
        {"fle-status", COLUMN_FLE_STATUS, GROUP_STRING},
        {"fle-encrypted-fields", COLUMN_FLE_FIELDS, GROUP_STRING},
        {"time-to-first-byte", COLUMN_FIRST_BYTE, GROUP_FLOAT},
        {"x-edge-detailed-result-type", COLUMN_DETAILED_RESULT, GROUP_STRING},
    };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i].column < n)
            access_own(a, own[i].name, own[i].type, columns[own[i].column]);
}

/* Columns that came with the years. */
static void put_rest(struct access *a, const struct slice *columns, size_t n)
{
    static const struct {
        enum column column;
        enum access_field field;
    } rest[] = {
        {COLUMN_REQUEST_ID, ACCESS_REQUEST_ID},  {COLUMN_SCHEME, ACCESS_SCHEME},
        {COLUMN_RECEIVED, ACCESS_REQUEST_BYTES}, {COLUMN_CIPHER, ACCESS_TLS_CIPHER},
        {COLUMN_PORT, ACCESS_SOURCE_PORT},       {COLUMN_TYPE, ACCESS_MIME_TYPE},
        {COLUMN_LENGTH, ACCESS_BODY_BYTES},
    };

    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        if (rest[i].column < n)
            access_put(a, rest[i].field, columns[rest[i].column]);
    access_put(a, ACCESS_DOMAIN,
               columns[n > COLUMN_VIEWER_HOST ? COLUMN_VIEWER_HOST : COLUMN_HOST]);
    if (n > COLUMN_TOOK)
        access_duration(a, access_ns(columns[COLUMN_TOOK], 1000000000));
    if (n > COLUMN_TLS)
        access_tls(a, columns[COLUMN_TLS]);
    if (n > COLUMN_VERSION && slice_starts(columns[COLUMN_VERSION], slice_str("HTTP/")))
        access_put(a, ACCESS_VERSION, slice_from(columns[COLUMN_VERSION], 5));
}

bool access_cloudfront_parse(struct parse_scratch *scratch, struct slice line, struct record *out)
{
    struct slice columns[MOST_COLUMNS];
    size_t n = cut_columns(line, columns);
    struct access a;

    if (slice_starts(line, slice_str("#Version: ")) || slice_starts(line, slice_str("#Fields: "))) {
        out->message = value_text(line);
        return true;
    }
    if (n < LEAST_COLUMNS || !ecs_is_integer(columns[COLUMN_SENT]) ||
        !access_is_status(columns[COLUMN_STATUS]) ||
        !access_start(&a, scratch, line, out, MOST_OWN) || !take_time(&a, columns))
        return false;
    access_peer(&a, ACCESS_SOURCE_ADDRESS, columns[COLUMN_CLIENT]);
    access_put(&a, ACCESS_METHOD, columns[COLUMN_METHOD]);
    put_url(&a, columns[COLUMN_PATH], columns[COLUMN_QUERY]);
    access_status(&a, columns[COLUMN_STATUS]);
    access_put(&a, ACCESS_RESPONSE_BYTES, columns[COLUMN_SENT]);
    put_decoded(&a, ACCESS_REFERRER, columns[COLUMN_REFERRER]);
    put_decoded(&a, ACCESS_USER_AGENT, columns[COLUMN_AGENT]);
    put_rest(&a, columns, n);
    put_own(&a, columns, n);
    return true;
}
