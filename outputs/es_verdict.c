#include "outputs/es_verdict.h"

static bool is_one_of(struct slice s, const char *const *names)
{
    for (; *names; names++)
        if (slice_is(s, *names))
            return true;
    return false;
}

/* The cluster's state, not the document's: someone has to mend it, and the document waits. */
static bool is_cluster_trouble(struct slice type)
{
    static const char *const names[] = {"index_closed_exception",    "validation_exception",
                                        "cluster_block_exception",   "security_exception",
                                        "index_not_found_exception", NULL};

    return is_one_of(type, names);
}

/* What an ingest pipeline answers with a 5xx; sent again, it would answer the same. */
static bool is_pipeline_refusal(struct slice type)
{
    static const char *const names[] = {"fail_processor_exception", "script_exception",
                                        "ingest_processor_exception", "illegal_argument_exception",
                                        NULL};

    return is_one_of(type, names);
}

enum verdict es_item_verdict(int status, struct slice type)
{
    if (status >= 200 && status < 300)
        return VERDICT_DELIVERED;
    if (status == 409)
        return VERDICT_DUPLICATE; /* we create under our own _id: an earlier try landed */
    if (is_cluster_trouble(type) || status == 401 || status == 403)
        return VERDICT_HOLD;
    if (status == 500 && is_pipeline_refusal(type))
        return VERDICT_REJECTED;
    if (status == 429 || status >= 500 || status < 200)
        return VERDICT_RETRY;
    if (status == 404)
        return VERDICT_HOLD; /* the index or its template is missing */
    return VERDICT_REJECTED;
}

enum sink_outcome es_request_outcome(int status, struct slice type)
{
    switch (status) {
    case 413:
        return SINK_SPLIT;
    case 400:
        return is_cluster_trouble(type) ? SINK_HOLD : SINK_BISECT;
    case 408:
    case 425:
    case 429:
        return SINK_RETRY;
    default:
        break;
    }
    if (status >= 200 && status < 300)
        return SINK_RETRY; /* a reply that is none: it may have been stored, ids make that harmless
                            */
    return status >= 300 && status < 500 ? SINK_HOLD : SINK_RETRY;
}
