#include "outputs/es_verdict.h"

static bool is_one_of(struct slice s, const char *const *names)
{
    for (; *names; names++)
        if (slice_is(s, *names))
            return true;
    return false;
}

static bool says(struct slice reason, const char *words)
{
    return slice_find(reason, slice_str(words)) >= 0;
}

/* The cluster's state, not the document's: someone has to mend it, and the document waits. */
static bool is_cluster_trouble(struct slice type)
{
    static const char *const names[] = {"index_closed_exception",
                                        "validation_exception",
                                        "cluster_block_exception",
                                        "security_exception",
                                        "index_not_found_exception",
                                        "invalid_index_name_exception",
                                        "media_type_header_exception",
                                        "content_type_header_exception",
                                        "too_long_http_line_exception",
                                        "too_long_http_header_exception",
                                        NULL};

    return is_one_of(type, names);
}

/* illegal_argument_exception stands for much: here for what someone configured, which any document
 * would meet alike. */
static bool is_misconfigured(struct slice type, struct slice reason)
{
    return slice_is(type, "illegal_argument_exception") &&
           ((says(reason, "pipeline with id [") && says(reason, "does not exist")) ||
            says(reason, "no write index is defined for alias") ||
            says(reason, "contains unrecognized parameter"));
}

/* What an ingest pipeline answers with a 5xx; sent again, it would answer the same. */
static bool is_pipeline_refusal(struct slice type)
{
    static const char *const names[] = {"fail_processor_exception", "script_exception",
                                        "ingest_processor_exception", "illegal_argument_exception",
                                        NULL};

    return is_one_of(type, names);
}

/* One event of a request can be what such an answer means. */
static bool is_request_refusal(struct slice type)
{
    static const char *const names[] = {"illegal_argument_exception",
                                        "action_request_validation_exception",
                                        "x_content_parse_exception",
                                        "x_content_e_o_f_exception",
                                        "json_parse_exception",
                                        "json_e_o_f_exception",
                                        "parse_exception",
                                        "parsing_exception",
                                        NULL};

    return is_one_of(type, names);
}

static bool is_passing(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500 || status < 200;
}

enum verdict es_item_verdict(int status, struct slice type, struct slice reason)
{
    if (status >= 200 && status < 300)
        return VERDICT_DELIVERED;
    if (status == 409)
        return VERDICT_DUPLICATE; /* we create under our own _id: an earlier try landed */
    if (is_cluster_trouble(type) || is_misconfigured(type, reason))
        return VERDICT_HOLD;
    if (status == 401 || status == 403 || status == 404)
        return VERDICT_HOLD; /* 404: the index or its template is missing */
    if (status == 500)
        return is_pipeline_refusal(type) ? VERDICT_REJECTED : VERDICT_DOUBT;
    return is_passing(status) ? VERDICT_RETRY : VERDICT_REJECTED;
}

bool es_item_is_too_large(int status, struct slice reason)
{
    return status == 429 && says(reason, "exceeds the maximum allowed limit");
}

bool es_is_mapping_refusal(struct slice type)
{
    static const char *const names[] = {"document_parsing_exception", "mapper_parsing_exception",
                                        "strict_dynamic_mapping_exception", NULL};

    return is_one_of(type, names);
}

/* HTTP 400. What is none of Elasticsearch's own (plain HTTP to a TLS port, a proxy) says nothing
 * about events; what is not known here is tried again, in ever smaller parts. */
static enum sink_outcome bad_request_outcome(struct slice type, struct slice reason)
{
    if (type.len == 0 || is_cluster_trouble(type) || is_misconfigured(type, reason))
        return SINK_HOLD;
    return is_request_refusal(type) ? SINK_BISECT : SINK_RETRY;
}

enum sink_outcome es_request_outcome(int status, struct slice type, struct slice reason)
{
    if (status == 413)
        return SINK_SPLIT;
    if (status == 400)
        return bad_request_outcome(type, reason);
    if (is_passing(status) && status != 501)
        return SINK_RETRY;
    if (status < 300)
        return SINK_RETRY; /* no bulk reply: it may have been stored; ids make that harmless */
    return SINK_HOLD;      /* 501 too: who does not know POST is no Elasticsearch */
}
