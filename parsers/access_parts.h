/* What the access logs of web servers, load balancers and gateways have in common, as ECS. Internal
 * to parsers/access*.c.
 *
 * Owner:  the caller's storage, for one line.
 * Thread: one worker's. */
#ifndef SHIP_PARSERS_ACCESS_PARTS_H
#define SHIP_PARSERS_ACCESS_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/fill.h"
#include "parsers/parser.h"
#include "parsers/record.h"
#include "shipper/base/slice.h"

enum access_field {
    ACCESS_SOURCE_ADDRESS,
    ACCESS_SOURCE_IP,
    ACCESS_SOURCE_PORT,
    ACCESS_TARGET_ADDRESS,
    ACCESS_TARGET_IP,
    ACCESS_TARGET_PORT,
    ACCESS_USER,
    ACCESS_METHOD,
    ACCESS_VERSION,
    ACCESS_REFERRER,
    ACCESS_REQUEST_ID,
    ACCESS_REQUEST_BYTES,
    ACCESS_STATUS,
    ACCESS_RESPONSE_BYTES,
    ACCESS_BODY_BYTES,
    ACCESS_MIME_TYPE,
    ACCESS_URL,
    ACCESS_SCHEME,
    ACCESS_DOMAIN,
    ACCESS_PORT,
    ACCESS_PATH,
    ACCESS_QUERY,
    ACCESS_USER_AGENT,
    ACCESS_DURATION,
    ACCESS_OUTCOME,
    ACCESS_REASON,
    ACCESS_TLS_CIPHER,
    ACCESS_TLS_VERSION,
    ACCESS_TLS_PROTOCOL,
    ACCESS_TLS_NAME,
    ACCESS_N_FIELDS,
};

extern const struct ecs_field access_fields[ACCESS_N_FIELDS];

struct access {
    struct parse_scratch *scratch;
    struct record *out;
    uint32_t has; /* which fields there are: a bit each */
    struct filling filling;
};

/* With room for n_most fields of the application's own, and in scratch->text for twice the line and
 * a few numbers. False: memory is out. */
bool access_start(struct access *a, struct parse_scratch *scratch, struct slice line,
                  struct record *out, size_t n_most);

/* The next of words between blanks; one in quotes has none of them. False: there is none, or a
 * quote is not closed. */
bool access_word(struct slice *rest, struct slice *word);

/* Each does nothing for "-", "", what is no value of the field, and a field that is there. */
void access_put(struct access *a, enum access_field field, struct slice text);
/* What stood in quotes: escapes become what they say. */
void access_put_quoted(struct access *a, enum access_field field, struct slice text);
/* One of the application's own fields. */
void access_own(struct access *a, const char *name, enum group_type type, struct slice text);

/* False: it is none. */
bool access_time(struct access *a, struct slice text);
/* "10.0.0.1", "10.0.0.1:80", "[::1]:80", "host" into address and what follows it: ip and port. */
void access_peer(struct access *a, enum access_field address, struct slice text);
/* "GET /path?query HTTP/1.1"; what is none becomes the own field "request". */
void access_request(struct access *a, struct slice text);
/* "/path?query" or "https://host:443/path?query". */
void access_url(struct access *a, struct slice text);
/* The status, and what it says about the outcome. */
void access_status(struct access *a, struct slice text);
/* "TLSv1.2" */
void access_tls(struct access *a, struct slice text);
void access_duration(struct access *a, int64_t ns);

/* "0.001048" seconds in ns, or thousandths of them, by `unit_ns`; -1: not a number, or below 0. */
int64_t access_ns(struct slice text, int64_t unit_ns);

/* Three digits. */
bool access_is_status(struct slice text);

/* The formats. Each: false if the line is not of it; *out is then to be reset. */
bool access_clf_parse(struct parse_scratch *scratch, struct slice line, struct record *out);
bool access_alb_parse(struct parse_scratch *scratch, struct slice line, struct record *out);
bool access_cloudfront_parse(struct parse_scratch *scratch, struct slice line, struct record *out);
bool access_gateway_parse(struct parse_scratch *scratch, struct slice line, struct record *out);

#endif
