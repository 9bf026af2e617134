/* Reads a bulk reply as its bytes arrive, in memory bounded by what was sent.
 *
 * Whole or reduced by filter_path; any of the four action names. A reply counts only when its JSON
 * is complete and it answers exactly as many items as were sent.
 * Owner:  the caller's storage; es_reply_fini frees. Thread: one at a time. */
#ifndef SHIP_OUTPUTS_ES_REPLY_H
#define SHIP_OUTPUTS_ES_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "outputs/json_push.h"
#include "outputs/output.h"
#include "shipper/base/buffer.h"

enum {
    ES_TYPE_MAX = 96,
    ES_REASON_MAX = 512,        /* longer ones are cut */
    ES_TEXTS_MAX = 1024 * 1024, /* of all reasons of a reply; those beyond are left out */
};

/* What one item said. */
struct es_item {
    int status;
    char type[ES_TYPE_MAX];
    char reason[ES_REASON_MAX];
    char cause[ES_REASON_MAX]; /* until the item ends; then a part of the reason */
    bool is_in_failure_store;
};

/* An item that is rejected, now or after some tries; its texts are in es_reply.texts. */
struct es_refusal {
    size_t index;
    int status;
    size_t type_at;
    size_t reason_at;
};

struct es_reply {
    struct json_push json;
    size_t n_sent;
    size_t n_items;         /* answered so far */
    enum verdict *verdicts; /* n_sent of them */
    size_t n_failures;      /* of them neither delivered nor duplicates */
    struct es_item first;   /* of the failures */
    size_t n_too_large;     /* es_item_is_too_large */
    size_t n_in_failure_store;
    size_t n_dropped;            /* by an ingest pipeline: 200, and nothing created */
    size_t n_pipeline_bad;       /* refused, perhaps by an ingest pipeline */
    struct es_refusal *refusals; /* of those rejected, or in doubt */
    size_t n_refusals;
    size_t cap;
    struct buffer texts; /* each with its NUL */
    bool is_out_of_memory;
    struct es_item item; /* being read */

    /* For an answer that is no bulk reply: {"error":{"type":...,"reason":...},"status":...} */
    char request_type[ES_TYPE_MAX];
    char request_reason[ES_REASON_MAX];
};

/* False when memory is out. */
bool es_reply_init(struct es_reply *r, size_t n_sent);
void es_reply_fini(struct es_reply *r);
/* False when it is no JSON, or answers more than was sent: the rest need not be read. */
bool es_reply_push(struct es_reply *r, struct slice bytes);
/* Every item that was sent has its verdict. */
bool es_reply_is_whole(const struct es_reply *r);
/* The refusals as the engine wants them: malloc'd, the caller's; their texts are r's. NULL when
 * there are none, or memory is out. */
struct rejection *es_reply_rejections(const struct es_reply *r);

#endif
