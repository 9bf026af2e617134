#include <math.h>
#include <stdlib.h>

#include "parsers/json_scan.h"
#include "shipper/pipeline/correlate.h"
#include "shipper/pipeline/outcome.h"

void correlate_init(struct correlate *c)
{
    memset(c, 0, sizeof *c);
    c->init_ms = NAN;
}

void correlate_fini(struct correlate *c)
{
    free(c->requests);
    correlate_init(c);
}

bool correlate_copy(struct correlate *to, const struct correlate *from)
{
    struct invocation *requests = NULL;

    correlate_fini(to);
    if (from->n_requests) {
        requests = malloc(from->n_requests * sizeof *requests);
        if (!requests)
            return false;
        memcpy(requests, from->requests, from->n_requests * sizeof *requests);
    }
    *to = *from;
    to->requests = requests;
    to->cap = from->n_requests;
    return true;
}

/* --- the requests that a stream remembers --- */

static struct invocation *find(struct correlate *c, struct slice id)
{
    for (uint32_t i = c->n_requests; i-- > 0;)
        if (slice_eq(slice_of(c->requests[i].id, c->requests[i].id_len), id))
            return &c->requests[i];
    return NULL;
}

static void forget(struct correlate *c, uint32_t i)
{
    c->n_requests--;
    memmove(&c->requests[i], &c->requests[i + 1], (c->n_requests - i) * sizeof *c->requests);
}

/* What has been summed up is only remembered while lines may still belong to it. */
static void forget_reported(struct correlate *c)
{
    for (uint32_t i = c->n_requests; i-- > 0;)
        if (c->requests[i].has_reported)
            forget(c, i);
}

static bool is_any_open(const struct correlate *c, struct slice but)
{
    for (uint32_t i = 0; i < c->n_requests; i++) {
        const struct invocation *inv = &c->requests[i];

        if (!inv->has_ended && !slice_eq(slice_of(inv->id, inv->id_len), but))
            return true;
    }
    return false;
}

/* Room for one more at the end; the oldest goes when there are too many. NULL: out of memory. */
static struct invocation *add_request(struct correlate *c)
{
    if (c->n_requests == CORRELATE_MAX_REQUESTS)
        forget(c, 0);
    if (c->n_requests == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 2;
        struct invocation *grown = realloc(c->requests, cap * sizeof *grown);

        if (!grown)
            return NULL;
        c->requests = grown;
        c->cap = cap;
    }
    return &c->requests[c->n_requests++];
}

static void invocation_init(struct invocation *inv, struct slice id)
{
    memset(inv, 0, sizeof *inv);
    inv->id_len = (uint8_t)(id.len < REQUEST_ID_MAX ? id.len : REQUEST_ID_MAX);
    memcpy(inv->id, id.ptr, inv->id_len);
    inv->coldstart = -1;
    inv->init_ms = NAN;
    inv->report = (struct report){NAN, NAN, NAN, NAN, NAN, NAN, NAN, {0}, {0}};
}

static struct invocation *current(struct correlate *c)
{
    return c->has_current && c->n_requests ? &c->requests[c->n_requests - 1] : NULL;
}

/* --- what single lines do --- */

/* Enough of a JSON string for any field here: an escape is at most six times as long as what it
 * says. */
enum { ESCAPED_MAX = 6 * (CORRELATE_NAME_MAX + 1) };

/* The text of a value into a fixed field, cut on a character's border; nothing is allocated. */
static void copy_text(const struct value *v, char *out, size_t cap)
{
    char said[ESCAPED_MAX];
    struct buffer plain = {.ptr = said, .cap = sizeof said};
    struct slice text = v->bytes;
    size_t len;

    if (v->kind == VALUE_JSON_STRING) {
        if (text.len > sizeof said)
            text.len = sizeof said; /* saying it takes no more room than this */
        json_unescape(text, &plain);
        text = buffer_slice(&plain);
    }
    len = text.len < cap - 1 ? text.len : cap - 1;
    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
        len--;
    if (len)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static void learn_function(struct correlate *c, const struct record *r)
{
    if (r->kind == RECORD_LINE)
        return;
    if (r->faas_name.kind != VALUE_NONE)
        copy_text(&r->faas_name, c->function, sizeof c->function);
    if (r->faas_version.kind != VALUE_NONE)
        copy_text(&r->faas_version, c->version, sizeof c->version);
    if (r->cloud_region.len)
        copy_text(&(struct value){r->cloud_region, VALUE_TEXT}, c->region, sizeof c->region);
    if (r->cloud_account.len)
        copy_text(&(struct value){r->cloud_account, VALUE_TEXT}, c->account, sizeof c->account);
}

static void on_init(struct correlate *c, const struct record *r, const struct line_ref *at)
{
    /* Managed instances run many requests at once from the start. */
    if (is_any_open(c, (struct slice){0}) || slice_is(r->init_type, "lambda-managed-instances"))
        c->is_mixed = true;
    forget_reported(c);
    c->has_current = false;
    c->is_initialising = true;
    c->init_id = at->hash.low | 1;
    c->init_ms = NAN;
}

/* It comes before a START, too, where its INIT_START was not seen or there is none: after an init
 * that failed Lambda runs it again for the first request (aws.md 1.2). */
static void on_init_report(struct correlate *c, const struct record *r, const struct line_ref *at)
{
    if (!c->is_initialising && !is_any_open(c, (struct slice){0}))
        on_init(c, r, at);
    if (!isnan(r->report.init_ms))
        c->init_ms = r->report.init_ms;
}

static void on_start(struct correlate *c, const struct record *r)
{
    struct invocation *inv = find(c, r->request_id);
    bool is_cold = c->is_initialising;
    bool was_warm = c->has_seen_start;

    if (is_any_open(c, r->request_id))
        c->is_mixed = true;
    if (inv) /* a retry of the same request: it starts anew */
        forget(c, (uint32_t)(inv - c->requests));
    forget_reported(c);
    inv = add_request(c);
    c->has_seen_start = true;
    c->has_current = inv;
    if (inv) {
        invocation_init(inv, r->request_id);
        if (!c->is_mixed) {
            inv->coldstart = is_cold ? 1 : was_warm ? 0 : -1;
            inv->init_id = c->init_id;
            inv->init_ms = c->init_ms;
        }
    }
    c->is_initialising = false;
    c->init_id = 0;
    c->init_ms = NAN;
}

/* What any line adds to the request that it belongs to. */
static void note_line(struct invocation *inv, const struct record *r)
{
    bool is_platform = r->kind != RECORD_LINE;

    if (r->has_time) {
        if (!inv->start_ns)
            inv->start_ns = r->time_ns;
        if (r->time_ns > inv->end_ns)
            inv->end_ns = r->time_ns;
    }
    if (r->has_trace_id && !inv->has_trace_id) {
        memcpy(inv->trace_id, r->trace_id, sizeof inv->trace_id);
        inv->has_trace_id = true;
    }
    if (!is_platform)
        inv->n_lines++;
    if (r->level > inv->highest)
        inv->highest = (uint8_t)r->level;
    if (r->level >= LEVEL_ERROR) {
        inv->n_errors += !is_platform;
        if (r->error_type.kind != VALUE_NONE && !inv->error_type[0])
            copy_text(&r->error_type, inv->error_type, sizeof inv->error_type);
        if (r->error_message.kind != VALUE_NONE && !inv->error_message[0])
            copy_text(&r->error_message, inv->error_message, sizeof inv->error_message);
    }
    outcome_note_line(inv, r);
}

/* An error that ended one of the requests that are open, and nothing says which. */
static void note_nobodys_error(struct correlate *c)
{
    for (uint32_t i = 0; i < c->n_requests; i++)
        if (!c->requests[i].has_ended)
            c->requests[i].is_doubtful = true;
}

/* REPORT: the request is over. The summary is kept back when a line may follow that belongs to it.
 */
static size_t on_report(struct correlate *c, struct invocation *inv, const struct record *r,
                        const struct line_ref *at, struct invocation *done)
{
    struct invocation lone;

    if (!inv) { /* its START was not seen */
        invocation_init(&lone, r->request_id);
        inv = &lone;
        note_line(inv, r);
    }
    inv->has_ended = true;
    inv->has_reported = true;
    inv->at = *at;
    inv->report = r->report;
    if (isnan(inv->report.init_ms))
        inv->report.init_ms = inv->init_ms;
    if (!isnan(r->report.init_ms) || !isnan(r->report.restore_ms))
        inv->coldstart = 1;
    outcome_decide(inv, r);
    inv->report.status = inv->report.error_type = (struct slice){0};
    if (r->has_time) { /* JSON: nothing follows, the trace is in it */
        *done = *inv;
        return 1;
    }
    c->held = *inv;
    c->has_held = true;
    return 0;
}

/* A summary that was kept back: does this line still belong to it? */
static size_t settle_held(struct correlate *c, const struct record *r, struct invocation *done)
{
    struct slice id = slice_of(c->held.id, c->held.id_len);

    if (r->kind == RECORD_XRAY) {
        if (r->has_trace_id && !c->held.has_trace_id) {
            memcpy(c->held.trace_id, r->trace_id, sizeof c->held.trace_id);
            c->held.has_trace_id = true;
        }
        return 0;
    }
    if ((r->kind == RECORD_TIMEOUT || r->kind == RECORD_EXIT) && slice_eq(r->request_id, id)) {
        note_line(&c->held, r);
        outcome_decide(&c->held, r);
    }
    *done = c->held;
    c->has_held = false;
    return 1;
}

/* The request that a line belongs to, and how that is known. */
static struct invocation *attribute(struct correlate *c, const struct record *r,
                                    struct correlation *out)
{
    struct invocation *inv = NULL;

    if (r->request_id.len) {
        out->request_id = r->request_id;
        out->source = REQUEST_ID_LINE;
        return find(c, r->request_id);
    }
    if (r->kind == RECORD_XRAY && c->has_held) { /* the second half of the REPORT before it */
        out->request_id = slice_of(c->held.id, c->held.id_len);
        out->source = REQUEST_ID_STREAM;
        return find(c, out->request_id);
    }
    if (c->is_mixed || r->kind == RECORD_INIT_START || r->kind == RECORD_INIT_REPORT ||
        r->kind == RECORD_RESTORE_START || r->kind == RECORD_RESTORE_REPORT)
        return NULL;
    inv = current(c);
    if (inv) {
        out->request_id = slice_of(inv->id, inv->id_len);
        out->source = REQUEST_ID_STREAM;
    }
    return inv;
}

size_t correlate_line(struct correlate *c, const struct record *r, const struct line_ref *at,
                      struct correlation *out, struct invocation done[CORRELATE_MAX_DONE])
{
    size_t n_done = 0;
    struct invocation *inv;

    *out = (struct correlation){.coldstart = -1};
    if (r->has_time)
        c->last_ns = r->time_ns;
    learn_function(c, r);
    if (r->kind == RECORD_INIT_START || r->kind == RECORD_RESTORE_START)
        on_init(c, r, at);
    else if (r->kind == RECORD_START && r->request_id.len)
        on_start(c, r);
    else if (r->kind == RECORD_INIT_REPORT)
        on_init_report(c, r, at);

    inv = attribute(c, r, out);
    if (inv) {
        note_line(inv, r);
        out->coldstart = inv->coldstart;
        if (inv->has_trace_id)
            out->trace_id = slice_of(inv->trace_id, sizeof inv->trace_id);
        if (r->kind == RECORD_START)
            out->init_id = inv->init_id;
        if (r->kind == RECORD_END || r->kind == RECORD_RUNTIME_DONE || r->kind == RECORD_TIMEOUT ||
            r->kind == RECORD_EXIT)
            inv->has_ended = true;
    } else if (!r->request_id.len && c->is_initialising && !c->is_mixed) {
        out->is_init = true;
        out->init_id = c->init_id;
    } else if (!r->request_id.len && r->flags & RECORD_UNHANDLED) {
        note_nobodys_error(c);
    }
    if (c->has_held)
        n_done += settle_held(c, r, &done[n_done]);
    if (r->kind == RECORD_REPORT && r->request_id.len)
        n_done += on_report(c, inv, r, at, &done[n_done]);
    return n_done;
}

bool correlate_flush(struct correlate *c, struct invocation *done)
{
    if (!c->has_held)
        return false;
    *done = c->held;
    c->has_held = false;
    return true;
}

/* --- the checkpoint --- */

enum { SAVE_VERSION = 1 };

struct saved_head {
    uint32_t version;
    uint32_t state_size;
    uint32_t invocation_size;
    uint32_t n_requests;
};

void correlate_save(const struct correlate *c, struct buffer *out)
{
    struct saved_head head = {SAVE_VERSION, sizeof *c, sizeof *c->requests, c->n_requests};
    struct correlate flat = *c;

    flat.requests = NULL;
    flat.cap = 0;
    buffer_add(out, &head, sizeof head);
    buffer_add(out, &flat, sizeof flat);
    buffer_add(out, c->requests, c->n_requests * sizeof *c->requests);
}

static bool invocation_is_sane(const struct invocation *inv)
{
    return inv->id_len <= REQUEST_ID_MAX && inv->highest <= LEVEL_FATAL &&
           inv->outcome <= OUTCOME_OOM && !inv->error_type[CORRELATE_ERROR_MAX - 1] &&
           !inv->error_message[CORRELATE_ERROR_MAX - 1] && inv->report.status.len == 0 &&
           inv->report.error_type.len == 0;
}

static bool is_sane(const struct correlate *c)
{
    for (uint32_t i = 0; i < c->n_requests; i++)
        if (!invocation_is_sane(&c->requests[i]))
            return false;
    return !c->function[sizeof c->function - 1] && !c->version[sizeof c->version - 1] &&
           !c->region[sizeof c->region - 1] && !c->account[sizeof c->account - 1] &&
           (!c->has_held || invocation_is_sane(&c->held));
}

int correlate_load(struct correlate *c, struct slice bytes, struct err *e)
{
    struct saved_head head;
    size_t rows;

    correlate_fini(c);
    if (bytes.len < sizeof head)
        return err_set(e, ERR_STORE, "the saved request state is cut off");
    memcpy(&head, bytes.ptr, sizeof head);
    if (head.version != SAVE_VERSION || head.state_size != sizeof *c ||
        head.invocation_size != sizeof *c->requests || head.n_requests > CORRELATE_MAX_REQUESTS)
        return err_set(e, ERR_STORE, "the saved request state is of another version");
    rows = head.n_requests * sizeof *c->requests;
    if (bytes.len != sizeof head + sizeof *c + rows)
        return err_set(e, ERR_STORE, "the saved request state has the wrong size");
    memcpy(c, bytes.ptr + sizeof head, sizeof *c);
    c->requests = NULL;
    c->cap = 0;
    c->n_requests = 0;
    if (rows) {
        c->requests = malloc(rows);
        if (!c->requests) {
            correlate_init(c);
            return err_set(e, ERR_NOMEM, "out of memory");
        }
        memcpy(c->requests, bytes.ptr + sizeof head + sizeof *c, rows);
        c->n_requests = c->cap = head.n_requests;
    }
    if (!is_sane(c)) {
        correlate_fini(c);
        return err_set(e, ERR_STORE, "the saved request state is damaged");
    }
    return 0;
}
