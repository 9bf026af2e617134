#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "tests/sim/sim_server.h"
#include "tests/support/failing_malloc.h"

enum { IDS_CAP = 16384, PLAIN_MAX = 1 << 20 };

enum fate {
    FATE_DONE,
    FATE_STATUS, /* of the request as a whole */
    FATE_UNREACHED,
    FATE_CUT_BEFORE,  /* the connection breaks before it is done */
    FATE_CUT_AFTER,   /* after */
    FATE_HALF_REPLY,  /* in the middle of the reply */
    FATE_LATE_BEFORE, /* time runs out before it is done */
    FATE_LATE_AFTER,
    FATE_SHORT_REPLY,  /* answers for some of the items it stored */
    FATE_GARBAGE,      /* 200, and a page */
    FATE_BUSY_ITEMS,   /* takes some, 429 for others */
    FATE_CLOSED_ITEMS, /* none: index_closed, cluster_block */
};

struct http_call {
    struct http_call *next;
    struct http_request request;
    uint64_t body_hash; /* the sender must leave it alone */
    struct buffer copy; /* of an orphan */
    enum fate fate;
    int status;
    int64_t due_ms;
    unsigned n_items; /* of it ... */
    unsigned n_answered;
    unsigned n_created;
    unsigned n_duplicates;
    struct buffer created; /* struct sim_fact * each */
};

/* --- what a document says -------------------------------------------------------------------- */

static struct slice member(struct slice doc, const char *key)
{
    ptrdiff_t at = slice_find(doc, slice_str(key));
    const char *from;
    const char *end;

    if (at < 0)
        return (struct slice){0};
    from = doc.ptr + at + strlen(key);
    end = memchr(from, '"', doc.len - (size_t)(from - doc.ptr));
    return end ? slice_of(from, (size_t)(end - from)) : (struct slice){0};
}

bool sim_parse_event(struct slice message, enum sim_kind *kind, unsigned *n)
{
    static const char *const forms[SIM_KINDS] = {
        "line-%u ", "START RequestId: 11111111-2222-3333-4444-%u ",
        "END RequestId: 11111111-2222-3333-4444-%u", "REPORT RequestId: 11111111-2222-3333-4444-%u",
        NULL};
    char text[128];

    snprintf(text, sizeof text, "%.*s", (int)(message.len < 120 ? message.len : 120), message.ptr);
    for (int i = 0; forms[i]; i++)
        if (sscanf(text, forms[i], n) == 1 && *n < SIM_EVENTS_MAX) {
            *kind = (enum sim_kind)i;
            return true;
        }
    return false;
}

static bool parse_document(struct slice doc, enum sim_kind *kind, unsigned *n)
{
    struct slice execution = member(doc, "\"faas.execution\":\"");

    if (slice_is(member(doc, "\"event.action\":\""), "invocation")) {
        *kind = SIM_SUMMARY;
        return execution.len == SIM_UUID_LEN && sscanf(execution.ptr + 24, "%12u", n) == 1 &&
               *n < SIM_EVENTS_MAX;
    }
    return sim_parse_event(member(doc, "\"message\":\""), kind, n);
}

/* --- storing --------------------------------------------------------------------------------- */

static void violate(struct sim_server *s, const char *what, enum sim_kind kind, unsigned n)
{
    if (!s->violation[0])
        snprintf(s->violation, sizeof s->violation, "%s (event %d of kind %d)", what, (int)n,
                 (int)kind);
}

static uint32_t *slot_of(struct sim_server *s, struct hash128 id)
{
    size_t at = id.low & (IDS_CAP - 1);

    while (s->ids_of[at] && (s->ids[at].low != id.low || s->ids[at].high != id.high))
        at = (at + 1) & (IDS_CAP - 1);
    s->ids[at] = id;
    return &s->ids_of[at];
}

static bool is_poison(const struct sim_server *s, enum sim_kind kind, unsigned n)
{
    return s->poison && kind == SIM_LINE && n % s->poison == 0;
}

/* One item: its status, and what is known of the event once it is stored. */
static int create(struct sim_server *s, struct slice id, struct slice doc, struct sim_fact **out)
{
    static const struct hash128 zero;
    enum sim_kind kind;
    unsigned n;
    uint32_t *slot;
    struct sim_fact *fact;
    struct slice execution = member(doc, "\"faas.execution\":\"");

    if (!parse_document(doc, &kind, &n) || (id.len && id.len != HASH_TEXT_LEN)) {
        violate(s, "a document that nobody wrote", SIM_KINDS, 0);
        return 400;
    }
    if (is_poison(s, kind, n))
        return 400;
    fact = &s->facts[kind][n];
    if (id.len) {
        slot = slot_of(s, hash128_keyed(id, &zero));
        if (*slot) {
            if (*slot != (uint32_t)kind * SIM_EVENTS_MAX + n + 1)
                violate(s, "two events share an id", kind, n);
            return 409;
        }
        *slot = (uint32_t)kind * SIM_EVENTS_MAX + n + 1;
        fact->n_ids++;
        memcpy(fact->id, id.ptr, HASH_TEXT_LEN);
    }
    fact->is_stored = true;
    *out = fact;
    snprintf(fact->execution, sizeof fact->execution, "%.*s", SLICE_ARG(execution));
    s->n_stored++;
    return 201;
}

/* --- bodies ---------------------------------------------------------------------------------- */

static struct slice inflate_body(struct slice packed)
{
    static unsigned char plain[PLAIN_MAX];
    z_stream z = {.next_in = (unsigned char *)packed.ptr,
                  .avail_in = (unsigned)packed.len,
                  .next_out = plain,
                  .avail_out = sizeof plain};
    int rc;

    if (packed.len < 2 || (unsigned char)packed.ptr[0] != 0x1f)
        return packed; /* for want of memory it went as it was */
    cr_assert_eq(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    cr_assert_eq(rc, Z_STREAM_END, "a body that is no gzip");
    return slice_of((char *)plain, z.total_out);
}

/* The next action and document. */
static bool next_item(struct slice *rest, struct slice *id, struct slice *doc)
{
    struct slice action;

    /* An action without an id is {"create":{}}. */
    if (!slice_cut(rest, '\n', &action) || !slice_cut(rest, '\n', doc))
        return false;
    *id = member(action, "{\"create\":{\"_id\":\"");
    return true;
}

static bool has_poison(struct sim_server *s, struct slice rest)
{
    struct slice id;
    struct slice doc;

    while (next_item(&rest, &id, &doc)) {
        enum sim_kind kind;
        unsigned n;

        if (parse_document(doc, &kind, &n) && is_poison(s, kind, n))
            return true;
    }
    return false;
}

static void add_item(struct http_call *c, struct buffer *out, int status, const char *type)
{
    c->n_answered++;
    c->n_created += status == 201;
    c->n_duplicates += status == 409;
    if (out->ptr[out->len - 1] != '[')
        buffer_add_char(out, ',');
    buffer_printf(out, "{\"create\":{\"status\":%d", status);
    if (type[0])
        buffer_printf(out, ",\"error\":{\"type\":\"%s\",\"reason\":\"said the server\"}", type);
    buffer_add_lit(out, "}}");
}

/* One without an id is there as often as it is sent. As long as ship did not hear of it, or was
 * started anew since, it cannot know; and an orphan is another's. */
static void check_told(struct sim_server *s, const struct http_call *c, const struct sim_fact *fact)
{
    size_t i = (size_t)(fact - &s->facts[0][0]);

    if (!fact->id[0] && !c->copy.len && fact->told == s->n_starts)
        violate(s, "sent again without an id, though ship had been told that it is stored",
                (enum sim_kind)(i / SIM_EVENTS_MAX), (unsigned)(i % SIM_EVENTS_MAX));
}

/* Stores what it takes, and writes the reply. */
static void execute(struct sim_server *s, struct http_call *c, struct slice plain,
                    struct buffer *out)
{
    struct slice id;
    struct slice doc;

    buffer_add_lit(out, "{\"errors\":true,\"items\":[");
    while (next_item(&plain, &id, &doc)) {
        struct sim_fact *fact = NULL;
        int status;

        c->n_items++;
        if (c->fate == FATE_BUSY_ITEMS && sim_draw(s->random, 3) == 0) {
            add_item(c, out, sim_draw(s->random, 2) ? 429 : 503, "es_rejected_execution_exception");
        } else if (c->fate == FATE_CLOSED_ITEMS) {
            add_item(c, out, 400, "index_closed_exception");
        } else {
            status = create(s, id, doc, &fact);
            if (fact) {
                check_told(s, c, fact);
                buffer_add(&c->created, &fact, sizeof fact);
            }
            if (c->fate != FATE_SHORT_REPLY || sim_draw(s->random, 2))
                add_item(c, out, status,
                         status == 400   ? "document_parsing_exception"
                         : status == 409 ? "version_conflict_engine_exception"
                                         : "");
        }
    }
    buffer_add_lit(out, "]}");
}

/* --- fates ----------------------------------------------------------------------------------- */

static void draw_rough(struct sim_server *s, struct http_call *c)
{
    static const int statuses[] = {429, 500, 502, 503, 504, 408, 401, 403, 404, 301, 400};

    c->fate = (enum fate)sim_draw(s->random, FATE_CLOSED_ITEMS + 1);
    c->status = statuses[sim_draw(s->random, sizeof statuses / sizeof statuses[0])];
}

static void draw_fate(struct sim_server *s, struct http_call *c)
{
    unsigned die = sim_draw(s->random, 100);

    c->fate = FATE_DONE;
    switch (s->weather) {
    case WEATHER_FINE:
        break;
    case WEATHER_ROUGH:
        if (die < 70)
            draw_rough(s, c);
        break;
    case WEATHER_FULL:
        c->fate = die < 40 ? FATE_BUSY_ITEMS : die < 90 ? FATE_STATUS : FATE_DONE;
        c->status = 429;
        break;
    case WEATHER_AWAY:
        c->fate = die < 60 ? FATE_UNREACHED : die < 80 ? FATE_LATE_BEFORE : FATE_LATE_AFTER;
        break;
    case WEATHER_CLOSED:
        c->fate = die < 50 ? FATE_CLOSED_ITEMS : FATE_STATUS;
        c->status = die < 75 ? 401 : 403;
        break;
    }
    c->due_ms = s->now_ms + 1 + sim_draw(s->random, s->weather == WEATHER_FINE ? 50 : 2000);
    if (c->fate == FATE_LATE_BEFORE || c->fate == FATE_LATE_AFTER)
        c->due_ms = s->now_ms + c->request.options->timeout_ms;
}

/* --- struct transport ------------------------------------------------------------------------ */

static struct http_call *start(void *self, const struct http_request *request, struct err *e)
{
    struct sim_server *s = self;
    unsigned left = failing_malloc_suspend();
    struct http_call *c = calloc(1, sizeof *c);
    struct http_call **end = &s->calls;

    cr_assert_not_null(c);
    failing_malloc_resume(left);
    if (s->weather == WEATHER_ROUGH && sim_chance(s->random, 20)) {
        free(c);
        err_set(e, ERR_NOMEM, "out of memory for a request");
        return NULL;
    }
    c->request = *request;
    c->request.url = NULL;
    c->request.headers = NULL;
    c->body_hash = hash64(request->body);
    draw_fate(s, c);
    while (*end)
        end = &(*end)->next;
    *end = c;
    s->n_requests++;
    return c;
}

static void unlink_call(struct sim_server *s, struct http_call *c)
{
    struct http_call **link = &s->calls;

    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
}

static void free_call(struct http_call *c)
{
    buffer_free(&c->copy);
    buffer_free(&c->created);
    free(c);
}

/* The sender is gone; what it sent is perhaps on its way all the same. */
static void cancel(void *self, struct http_call *c)
{
    struct sim_server *s = self;

    if (!c)
        return;
    unlink_call(s, c);
    if (c->fate != FATE_DONE || sim_draw(s->random, 3) == 0) {
        free_call(c);
        return;
    }
    buffer_add_slice(&c->copy, c->request.body);
    c->due_ms = s->now_ms + sim_draw(s->random, 3) * 1000;
    c->next = s->orphans;
    s->orphans = c;
}

/* --- answering: in ship's code memory may run out, here it does not -------------------------- */

/* False: the reader has seen enough. */
static bool send_body(struct sim_server *s, struct http_call *c, struct slice body)
{
    while (body.len && c->request.on_body) {
        size_t n = 1 + sim_draw(s->random, 700);
        struct slice part = slice_of(body.ptr, n < body.len ? n : body.len);

        bool goes_on;

        failing_malloc_resume(s->malloc_left);
        goes_on = c->request.on_body(c->request.ctx, part);
        s->malloc_left = failing_malloc_suspend();
        if (!goes_on)
            return false;
        body = slice_from(body, part.len);
    }
    return true;
}

static void finish(struct sim_server *s, struct http_call *c, struct http_reply reply)
{
    if (!reply.why)
        reply.why = "";
    failing_malloc_resume(s->malloc_left);
    c->request.on_done(c->request.ctx, &reply);
    s->malloc_left = failing_malloc_suspend();
    free_call(c);
}

static void answer_failure(struct sim_server *s, struct http_call *c, enum http_failure failure)
{
    finish(s, c,
           (struct http_reply){.failure = failure, .retry_after_ms = -1, .why = "said the net"});
}

static void answer_text(struct sim_server *s, struct http_call *c, int status, const char *type,
                        const char *body)
{
    struct http_reply reply = {.status = status, .retry_after_ms = -1};

    if (status == 429 && sim_draw(s->random, 2))
        reply.retry_after_ms = 1000 * (1 + sim_draw(s->random, 3));
    snprintf(reply.content_type, sizeof reply.content_type, "%s", type);
    send_body(s, c, slice_str(body));
    finish(s, c, reply);
}

static void answer_status(struct sim_server *s, struct http_call *c, int status)
{
    char body[160];

    if (status >= 500 || status == 400 || sim_draw(s->random, 2)) {
        answer_text(s, c, status, "text/html", "<html>an error</html>");
        return;
    }
    snprintf(body, sizeof body,
             "{\"error\":{\"type\":\"some_exception\",\"reason\":\"r\"},\"status\":%d}", status);
    answer_text(s, c, status, "application/json", status == 413 ? "" : body);
}

/* Its reply arrived whole. */
static void note_told(struct sim_server *s, const struct http_call *c)
{
    s->n_told_created += c->n_created;
    s->n_told_duplicates += c->n_duplicates;
    for (size_t at = 0; at < c->created.len; at += sizeof(struct sim_fact *)) {
        struct sim_fact *fact;

        memcpy(&fact, c->created.ptr + at, sizeof fact);
        fact->told = s->n_starts;
    }
}

/* The request is read: stored or not, and its reply sent, cut, or never sent. */
static void answer_read(struct sim_server *s, struct http_call *c)
{
    struct slice plain = inflate_body(c->request.body);
    struct buffer body = {0};
    struct http_reply ok = {
        .status = 200, .retry_after_ms = -1, .content_type = "application/json"};

    if (s->most_bytes && plain.len > s->most_bytes) {
        answer_status(s, c, s->most_bytes_status);
        return;
    }
    if (s->refuses_whole && has_poison(s, plain)) {
        answer_text(s, c, 400, "application/json",
                    "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"Malformed "
                    "action/metadata line [1]\"},\"status\":400}");
        return;
    }
    execute(s, c, plain, &body);
    if (c->fate == FATE_CUT_AFTER) {
        answer_failure(s, c, HTTP_INTERRUPTED);
    } else if (c->fate == FATE_LATE_AFTER) {
        answer_failure(s, c, HTTP_TIMED_OUT);
    } else if (c->fate == FATE_HALF_REPLY) {
        send_body(s, c, slice_of(body.ptr, sim_draw(s->random, (unsigned)body.len)));
        answer_failure(s, c, HTTP_INTERRUPTED);
    } else {
        if (send_body(s, c, buffer_slice(&body)) && c->n_answered == c->n_items)
            note_told(s, c);
        finish(s, c, ok);
    }
    buffer_free(&body);
}

static void answer(struct sim_server *s, struct http_call *c)
{
    if (hash64(c->request.body) != c->body_hash)
        violate(s, "a body was changed while it was being sent", SIM_KINDS, 0);
    switch (c->fate) {
    case FATE_STATUS:
        answer_status(s, c, c->status);
        return;
    case FATE_UNREACHED:
        answer_failure(s, c, HTTP_UNREACHED);
        return;
    case FATE_CUT_BEFORE:
        answer_failure(s, c, HTTP_INTERRUPTED);
        return;
    case FATE_LATE_BEFORE:
        answer_failure(s, c, HTTP_TIMED_OUT);
        return;
    case FATE_GARBAGE:
        answer_text(s, c, 200, "text/html", "<html>It works!</html>");
        return;
    default:
        answer_read(s, c);
    }
}

static bool step_orphans(struct sim_server *s)
{
    for (struct http_call **link = &s->orphans; *link; link = &(*link)->next) {
        struct http_call *c = *link;
        struct buffer body = {0};

        if (c->due_ms > s->now_ms)
            continue;
        *link = c->next;
        execute(s, c, inflate_body(buffer_slice(&c->copy)), &body);
        buffer_free(&body);
        free_call(c);
        return true;
    }
    return false;
}

bool sim_server_step(struct sim_server *s, int64_t now_ms)
{
    struct http_call *c = s->calls;
    bool is_done = true;

    s->malloc_left = failing_malloc_suspend();
    s->now_ms = now_ms;
    while (c && c->due_ms > now_ms)
        c = c->next;
    if (c) {
        unlink_call(s, c);
        answer(s, c);
    } else {
        is_done = step_orphans(s);
    }
    failing_malloc_resume(s->malloc_left);
    return is_done;
}

int64_t sim_server_due_ms(const struct sim_server *s)
{
    int64_t due = INT64_MAX;

    for (const struct http_call *c = s->calls; c; c = c->next)
        due = c->due_ms < due ? c->due_ms : due;
    for (const struct http_call *c = s->orphans; c; c = c->next)
        due = c->due_ms < due ? c->due_ms : due;
    return due;
}

const char *sim_weather_name(enum sim_weather weather)
{
    static const char *const names[] = {"fine", "rough", "has no room", "is away",
                                        "lets nobody in"};

    return names[weather];
}

/* --- its life -------------------------------------------------------------------------------- */

void sim_server_init(struct sim_server *s, struct random *random)
{
    memset(s, 0, sizeof *s);
    s->transport = (struct transport){start, cancel, s};
    s->random = random;
    s->ids = calloc(IDS_CAP, sizeof *s->ids);
    s->ids_of = calloc(IDS_CAP, sizeof *s->ids_of);
    cr_assert(s->ids && s->ids_of);
}

void sim_server_meet(struct sim_server *s)
{
    s->n_starts++;
    s->n_told_created = s->n_told_duplicates = 0;
}

void sim_server_fini(struct sim_server *s)
{
    while (s->orphans) {
        struct http_call *c = s->orphans;

        s->orphans = c->next;
        free_call(c);
    }
    free(s->ids);
    free(s->ids_of);
}
