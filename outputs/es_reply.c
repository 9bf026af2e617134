#include <stdio.h>
#include <stdlib.h>

#include "outputs/es_reply.h"
#include "outputs/es_verdict.h"

/* Where the bulk reply has its parts:
 *   depth 1: {"took":1,"errors":true,"items":[...]}       and {"error":{...},"status":429}
 *   depth 3: items[i] = {"create":{...}}
 *   depth 4: {"status":201,"error":{...}}
 *   depth 5: {"type":"...","reason":"..."} */
enum { DEPTH_ROOT = 1, DEPTH_ROOT_ERROR = 2, DEPTH_ITEM = 4, DEPTH_ERROR = 5 };

static void copy(char *out, size_t cap, struct slice text)
{
    snprintf(out, cap, "%.*s", SLICE_ARG(text));
}

static bool is_in_items(const struct json_push *p)
{
    return slice_is(json_push_key(p, DEPTH_ROOT), "items") && p->kinds[1] == '[';
}

static void on_value(struct es_reply *r, const struct json_push *p, unsigned depth,
                     struct slice text)
{
    struct slice key = depth ? json_push_key(p, depth) : (struct slice){0};

    if (depth == DEPTH_ROOT && slice_is(key, "status")) {
        int64_t status;

        r->request_status = slice_to_int(text, &status) && status < 1000 ? (int)status : 0;
    } else if (depth == DEPTH_ROOT && slice_is(key, "error")) {
        copy(r->request_reason, sizeof r->request_reason, text);
    } else if (depth == DEPTH_ROOT_ERROR && slice_is(json_push_key(p, DEPTH_ROOT), "error")) {
        if (slice_is(key, "type"))
            copy(r->request_type, sizeof r->request_type, text);
        else if (slice_is(key, "reason"))
            copy(r->request_reason, sizeof r->request_reason, text);
    } else if (depth == DEPTH_ITEM && is_in_items(p) && slice_is(key, "status")) {
        int64_t status;

        r->item.status = slice_to_int(text, &status) && status < 1000 ? (int)status : 0;
    } else if (depth == DEPTH_ITEM && is_in_items(p) && slice_is(key, "error")) {
        copy(r->item.reason, sizeof r->item.reason, text); /* old servers: a text */
    } else if (depth == DEPTH_ERROR && is_in_items(p) &&
               slice_is(json_push_key(p, DEPTH_ITEM), "error")) {
        if (slice_is(key, "type"))
            copy(r->item.type, sizeof r->item.type, text);
        else if (slice_is(key, "reason"))
            copy(r->item.reason, sizeof r->item.reason, text);
    }
}

static void note_failure(struct es_reply *r)
{
    if (r->n_failures == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        struct es_failure *grown = realloc(r->failures, cap * sizeof *grown);

        if (!grown) {
            r->is_out_of_memory = true;
            return;
        }
        r->failures = grown;
        r->cap = cap;
    }
    r->failures[r->n_failures++] = r->item;
}

static void end_item(struct es_reply *r)
{
    if (r->n_items < r->n_sent) {
        r->item.index = r->n_items;
        r->item.verdict = es_item_verdict(r->item.status, slice_str(r->item.type));
        r->verdicts[r->n_items] = r->item.verdict;
        if (r->item.verdict != VERDICT_DELIVERED && r->item.verdict != VERDICT_DUPLICATE)
            note_failure(r);
    }
    r->n_items++;
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
    if (event == JSON_PUSH_OPEN) {
        r->item.status = 0;
        r->item.type[0] = r->item.reason[0] = '\0';
    } else {
        end_item(r);
    }
}

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
    free(r->failures);
    r->verdicts = NULL;
    r->failures = NULL;
}

bool es_reply_push(struct es_reply *r, struct slice bytes)
{
    return json_push(&r->json, bytes) && r->n_items <= r->n_sent && !r->is_out_of_memory;
}

bool es_reply_is_whole(const struct es_reply *r)
{
    return json_push_is_complete(&r->json) && r->n_items == r->n_sent && !r->is_out_of_memory;
}
