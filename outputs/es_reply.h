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

enum { ES_TYPE_MAX = 96, ES_REASON_MAX = 512 };

/* What a failed item said. */
struct es_failure {
    size_t index;
    int status;
    enum verdict verdict;
    char type[ES_TYPE_MAX];
    char reason[ES_REASON_MAX];
};

struct es_reply {
    struct json_push json;
    size_t n_sent;
    size_t n_items;              /* answered so far */
    enum verdict *verdicts;      /* n_sent of them */
    struct es_failure *failures; /* of those that are neither delivered nor duplicates */
    size_t n_failures;
    size_t cap;
    bool is_out_of_memory;
    struct es_failure item; /* being read; for a reply that is no bulk reply: its error */
    int request_status;     /* "status" at the root, as in error replies; 0: none */
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

#endif
