#include <stdio.h>
#include <stdlib.h>

#include "outputs/es_reply.h"
#include "outputs/es_verdict.h"

/* Where the bulk reply has its parts:
 *   depth 1: {"took":1,"errors":true,"items":[...]}       and {"error":{...},"status":429}
 *   depth 3: items[i] = {"create":{...}}
 *   depth 4: {"status":201,"error":{...}}
 *   depth 5: {"type":"...","reason":"...","caused_by":{...}}
 *   depth 6: {"reason":"..."} */
enum {
    DEPTH_ROOT = 1,
    DEPTH_ROOT_ERROR = 2,
    DEPTH_ITEMS = 2,
    DEPTH_ITEM = 4,
    DEPTH_ERROR = 5,
    DEPTH_CAUSE = 6,
};

static void copy(char *out, size_t cap, struct slice text)
{
    snprintf(out, cap, "%.*s", SLICE_ARG(text));
}

static bool is_in_items(const struct json_push *p)
{
    return slice_is(json_push_key(p, DEPTH_ROOT), "items") && p->kinds[1] == '[';
}

/* --- the error of a request ------------------------------------------------------------------ */

static void on_request_error(struct es_reply *r, unsigned depth, struct slice key,
                             struct slice text)
{
    if (depth == DEPTH_ROOT) /* old servers: a text */
        copy(r->request_reason, sizeof r->request_reason, text);
    else if (slice_is(key, "type"))
        copy(r->request_type, sizeof r->request_type, text);
    else if (slice_is(key, "reason"))
        copy(r->request_reason, sizeof r->request_reason, text);
}

/* --- items ----------------------------------------------------------------------------------- */

static void on_item_value(struct es_item *item, struct slice key, struct slice text)
{
    int64_t status;

    if (slice_is(key, "status"))
        item->status = slice_to_int(text, &status) && status < 1000 ? (int)status : 0;
    else if (slice_is(key, "error")) /* old servers: a text */
        copy(item->reason, sizeof item->reason, text);
    else if (slice_is(key, "failure_store"))
        item->is_in_failure_store = slice_is(text, "used");
}

static void on_item_error(struct es_item *item, struct slice key, struct slice text)
{
    if (slice_is(key, "type"))
        copy(item->type, sizeof item->type, text);
    else if (slice_is(key, "reason"))
        copy(item->reason, sizeof item->reason, text);
}

/* OpenSearch's reason is often no more than "failed to parse". */
static void add_cause(struct es_item *item)
{
    size_t len = strlen(item->reason);

    if (item->cause[0] && slice_find(slice_str(item->reason), slice_str(item->cause)) < 0)
        snprintf(item->reason + len, sizeof item->reason - len, "%s%s", len ? ": " : "",
                 item->cause);
}

/* The text's place in r->texts; `last` is where the refusal before has its own: mostly the same. */
static size_t keep_text(struct es_reply *r, const char *text, const size_t *last)
{
    static const char left_out[] = "(left out: too many events were refused at once)";
    size_t at;

    if (last && strcmp(r->texts.ptr + *last, text) == 0)
        return *last;
    if (r->texts.len == 0)
        buffer_add(&r->texts, left_out, sizeof left_out); /* at 0 */
    if (r->texts.len >= ES_TEXTS_MAX)
        return 0;
    at = r->texts.len;
    buffer_add(&r->texts, text, strlen(text) + 1);
    return at;
}

static bool grow_refusals(struct es_reply *r)
{
    size_t cap = r->cap ? r->cap * 2 : 8;
    struct es_refusal *grown = realloc(r->refusals, cap * sizeof *grown);

    if (!grown)
        return false;
    r->refusals = grown;
    r->cap = cap;
    return true;
}

static void keep_refusal(struct es_reply *r)
{
    struct es_refusal *last;
    struct es_refusal *here;

    if (r->n_refusals == r->cap && !grow_refusals(r)) {
        r->is_out_of_memory = true;
        return;
    }
    here = &r->refusals[r->n_refusals++];
    last = r->n_refusals > 1 ? here - 1 : NULL;
    here->index = r->n_items;
    here->status = r->item.status;
    here->type_at = keep_text(r, r->item.type, last ? &last->type_at : NULL);
    here->reason_at = keep_text(r, r->item.reason, last ? &last->reason_at : NULL);
    r->is_out_of_memory |= r->texts.failed;
}

static void end_item(struct es_reply *r)
{
    struct slice reason;
    enum verdict v;

    if (r->is_out_of_memory)
        return; /* the reply does not count any more */
    if (r->n_items >= r->n_sent) {
        r->n_items++;
        return;
    }
    add_cause(&r->item);
    reason = slice_str(r->item.reason);
    v = es_item_verdict(r->item.status, slice_str(r->item.type), reason);
    r->verdicts[r->n_items] = v;
    r->n_in_failure_store += r->item.is_in_failure_store;
    r->n_dropped += r->item.status == 200;
    r->n_pipeline_bad += (v == VERDICT_REJECTED || v == VERDICT_DOUBT) &&
                         !es_is_mapping_refusal(slice_str(r->item.type));
    if (v != VERDICT_DELIVERED && v != VERDICT_DUPLICATE) {
        if (r->n_failures++ == 0)
            r->first = r->item;
        r->n_too_large += es_item_is_too_large(r->item.status, reason);
    }
    if (v == VERDICT_REJECTED || v == VERDICT_DOUBT)
        keep_refusal(r);
    r->n_items++;
}

static void begin_item(struct es_reply *r)
{
    r->item.status = 0;
    r->item.type[0] = r->item.reason[0] = r->item.cause[0] = '\0';
    r->item.is_in_failure_store = false;
}

/* --- what the JSON reader says --------------------------------------------------------------- */

static void on_value(struct es_reply *r, const struct json_push *p, unsigned depth,
                     struct slice text)
{
    struct slice key = depth ? json_push_key(p, depth) : (struct slice){0};

    if (depth == DEPTH_ITEM && is_in_items(p))
        on_item_value(&r->item, key, text);
    else if (depth == DEPTH_ERROR && is_in_items(p) &&
             slice_is(json_push_key(p, DEPTH_ITEM), "error"))
        on_item_error(&r->item, key, text);
    else if (depth == DEPTH_CAUSE && is_in_items(p) && slice_is(key, "reason") &&
             slice_is(json_push_key(p, DEPTH_ERROR), "caused_by"))
        copy(r->item.cause, sizeof r->item.cause, text);
    else if ((depth == DEPTH_ROOT || depth == DEPTH_ROOT_ERROR) &&
             slice_is(json_push_key(p, DEPTH_ROOT), "error"))
        on_request_error(r, depth, key, text);
}

static void on_event(void *ctx, const struct json_push *p, enum json_push_event event,
                     unsigned depth, struct slice text)
{
    struct es_reply *r = ctx;

    if (event == JSON_PUSH_VALUE) {
        on_value(r, p, depth, text);
        return;
    }
    /* An item is the object inside "items": { "create": {...} } */
    if (depth != 2 || !is_in_items(p) || text.ptr[0] == '[' || text.ptr[0] == ']')
        return;
    if (event == JSON_PUSH_OPEN)
        begin_item(r);
    else
        end_item(r);
}

/* --- its life -------------------------------------------------------------------------------- */

bool es_reply_init(struct es_reply *r, size_t n_sent)
{
    memset(r, 0, sizeof *r);
    json_push_init(&r->json, on_event, r);
    r->n_sent = n_sent;
    r->verdicts = calloc(n_sent ? n_sent : 1, sizeof *r->verdicts);
    return r->verdicts;
}

void es_reply_fini(struct es_reply *r)
{
    free(r->verdicts);
    free(r->refusals);
    buffer_free(&r->texts);
    r->verdicts = NULL;
    r->refusals = NULL;
}

/* Nearly every item of a reply reduced by filter_path is this text. Where whole ones follow an
 * item, they are counted without being taken apart; returns how many bytes they are. */
static size_t take_created(struct es_reply *r, struct slice bytes)
{
    static const struct slice created = SLICE_LIT(",{\"create\":{\"status\":201}}");
    size_t at = 0;

    if (!json_push_is_behind_value(&r->json, DEPTH_ITEMS) || !is_in_items(&r->json))
        return 0;
    while (r->n_items < r->n_sent && slice_starts(slice_from(bytes, at), created)) {
        r->verdicts[r->n_items++] = VERDICT_DELIVERED;
        at += created.len;
    }
    return at;
}

bool es_reply_push(struct es_reply *r, struct slice bytes)
{
    while (bytes.len) {
        size_t n = take_created(r, bytes);
        const char *end;

        if (n == 0) { /* up to where an item may end */
            end = memchr(bytes.ptr, '}', bytes.len);
            n = end ? (size_t)(end - bytes.ptr) + 1 : bytes.len;
            if (!json_push(&r->json, slice_of(bytes.ptr, n)))
                return false;
        }
        bytes = slice_from(bytes, n);
    }
    return json_push(&r->json, bytes) && r->n_items <= r->n_sent && !r->is_out_of_memory;
}

bool es_reply_is_whole(const struct es_reply *r)
{
    return json_push_is_complete(&r->json) && r->n_items == r->n_sent && !r->is_out_of_memory;
}

struct rejection *es_reply_rejections(const struct es_reply *r)
{
    struct rejection *list = r->n_refusals ? calloc(r->n_refusals, sizeof *list) : NULL;

    for (size_t i = 0; list && i < r->n_refusals; i++) {
        const struct es_refusal *at = &r->refusals[i];

        list[i] = (struct rejection){at->index, at->status, r->texts.ptr + at->type_at,
                                     r->texts.ptr + at->reason_at};
    }
    return list;
}
