/* A row for each answer that Elasticsearch 8.19 and 9.5 (E), OpenSearch 2.19 and 3.8 (O) were seen
 * to give. */
#include <criterion/criterion.h>

#include "outputs/es_verdict.h"

Test(es_verdict, items)
{
    static const struct {
        int status;
        const char *type;
        const char *reason;
        enum verdict want;
        const char *because;
    } rows[] = {
        {201, "", "", VERDICT_DELIVERED, "created; so says the failure store too"},
        {200, "", "", VERDICT_DELIVERED, "a pipeline dropped it: result noop"},
        {409, "version_conflict_engine_exception",
         "[a]: version conflict, document already exists (current version [1])", VERDICT_DUPLICATE,
         "an earlier try landed: we create under our own _id"},

        {400, "document_parsing_exception", "[1:62] failed to parse field [event.duration]",
         VERDICT_REJECTED, "E: the same bytes fail every time"},
        {400, "mapper_parsing_exception", "failed to parse", VERDICT_REJECTED, "O: the same"},
        {400, "illegal_argument_exception", "Limit of total fields [1000] has been exceeded",
         VERDICT_REJECTED, "the document has too many"},
        {400, "illegal_argument_exception",
         "only write ops with an op_type of create are allowed in data streams", VERDICT_REJECTED,
         ""},
        {400, "document_parsing_exception", "data stream timestamp field [@timestamp] is missing",
         VERDICT_REJECTED, "E: none, or two"},
        {400, "illegal_argument_exception", "Provided Grok expressions do not match field value",
         VERDICT_REJECTED, "O: a pipeline's grok"},
        {400, "strict_dynamic_mapping_exception", "", VERDICT_REJECTED, ""},
        {400, "x_content_parse_exception", "[1:2] Unexpected character", VERDICT_REJECTED,
         "a broken document behind a pipeline"},
        {400, "script_exception", "runtime error", VERDICT_REJECTED, "O: a pipeline's script"},
        {400, "", "", VERDICT_REJECTED, "an unknown 4xx"},
        {413, "", "", VERDICT_REJECTED, "an event too large for someone in between"},
        {500, "fail_processor_exception", "refused", VERDICT_REJECTED,
         "O: a pipeline's fail, which never heals"},

        {429, "es_rejected_execution_exception", "rejected execution of primary operation",
         VERDICT_RETRY, "E: queue full"},
        {429, "rejected_execution_exception", "rejected execution of primary operation",
         VERDICT_RETRY, "O: queue full"},
        {429, "circuit_breaking_exception", "Data too large", VERDICT_RETRY, "memory"},
        {503, "unavailable_shards_exception", "primary shard is not active", VERDICT_RETRY, ""},
        {503, "process_cluster_event_timeout_exception", "", VERDICT_RETRY, ""},
        {500, "", "", VERDICT_DOUBT, "a bug of the server, or a processor that broke"},
        {500, "null_pointer_exception", "", VERDICT_DOUBT, "the same"},
        {408, "", "", VERDICT_RETRY, "time ran out"},
        {425, "", "", VERDICT_RETRY, "too early"},
        {0, "", "", VERDICT_RETRY, "an item without a status says nothing"},

        {403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)]",
         VERDICT_HOLD, "F10: index.blocks.write"},
        {429, "cluster_block_exception",
         "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark]",
         VERDICT_HOLD, "F10: the disk is full"},
        {403, "security_exception", "no permissions for [indices:admin/create]", VERDICT_HOLD,
         "O with security"},
        {401, "security_exception", "", VERDICT_HOLD, ""},
        {400, "index_closed_exception", "closed", VERDICT_HOLD,
         "400, yet not the document's fault"},
        {400, "validation_exception",
         "Validation Failed: 1: this action would add [2] shards, but this cluster has ...",
         VERDICT_HOLD, "400: cluster.max_shards_per_node"},
        {404, "index_not_found_exception", "no such index [x]", VERDICT_HOLD,
         "auto_create is off, or the template is missing"},
        {400, "invalid_index_name_exception", "Invalid index name [UPPER], must be lowercase",
         VERDICT_HOLD, "what somebody configured"},
        {400, "illegal_argument_exception", "pipeline with id [nope] does not exist", VERDICT_HOLD,
         "every event would be refused"},
        {400, "illegal_argument_exception",
         "no write index is defined for alias [logs]. The write index may be explicitly disabled",
         VERDICT_HOLD, "an alias without one"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(
            es_item_verdict(rows[i].status, slice_str(rows[i].type), slice_str(rows[i].reason)),
            rows[i].want, "%d %s %s: %s", rows[i].status, rows[i].type, rows[i].reason,
            rows[i].because);
}

Test(es_verdict, a_document_that_never_fits)
{
    cr_expect(es_item_is_too_large(
        429, slice_str("Request contains an operation of size [204874] bytes, which exceeds the "
                       "maximum allowed limit of [102400] bytes")));
    cr_expect_not(es_item_is_too_large(429, slice_str("rejected execution of primary operation")));
    cr_expect_not(es_item_is_too_large(201, slice_str("")));
}

Test(es_verdict, requests)
{
    static const struct {
        int status;
        const char *type;
        const char *reason;
        enum sink_outcome want;
        const char *because;
    } rows[] = {
        {200, "", "", SINK_RETRY, "not the reply that was asked for; it may have been stored"},
        {204, "", "", SINK_RETRY, "the same"},
        {413, "", "", SINK_SPLIT, "http.max_content_length: an empty body"},
        {429, "es_rejected_execution_exception", "rejected execution of coordinating operation",
         SINK_RETRY, ""},
        {429, "circuit_breaking_exception", "", SINK_RETRY, ""},
        {408, "", "", SINK_RETRY, ""},
        {425, "", "", SINK_RETRY, ""},
        {500, "illegal_state_exception", "There are no ingest nodes in this cluster", SINK_RETRY,
         ""},
        {502, "", "", SINK_RETRY, "a proxy's page"},
        {503, "", "", SINK_RETRY, "OpenSearch Security not initialized."},
        {504, "", "", SINK_RETRY, ""},
        {501, "", "", SINK_HOLD, "a web server that knows no POST"},
        {401, "", "", SINK_HOLD, "O with security: the text Unauthorized"},
        {403, "security_exception", "", SINK_HOLD, ""},
        {403, "cluster_block_exception", "", SINK_HOLD, "cluster.blocks.read_only"},
        {301, "", "", SINK_HOLD, "redirects are not followed: credentials would go along"},
        {404, "", "", SINK_HOLD, "not the address of Elasticsearch"},
        {405, "", "", SINK_HOLD, "the same"},
        {406, "", "", SINK_HOLD, "Content-Type header is not supported"},
        {400, "illegal_argument_exception", "Malformed action/metadata line [1]", SINK_BISECT,
         "one event can have done it"},
        {400, "illegal_argument_exception",
         "The bulk request must be terminated by a newline [\\n]", SINK_BISECT, ""},
        {400, "illegal_argument_exception",
         "Action/metadata line [1] contains an unknown parameter [_type]", SINK_BISECT, ""},
        {503, "process_cluster_event_timeout_exception", "", SINK_RETRY, ""},
        {405, "", "Incorrect HTTP method for uri [/x/_bulk]", SINK_HOLD, ""},
        {400, "action_request_validation_exception", "Validation Failed: 1: id is too long",
         SINK_BISECT, ""},
        {400, "x_content_e_o_f_exception", "", SINK_BISECT, "E"},
        {400, "json_e_o_f_exception", "", SINK_BISECT, "O"},
        {400, "x_content_parse_exception", "", SINK_BISECT, ""},
        {400, "illegal_argument_exception", "request [/_bulk] contains unrecognized parameter: [x]",
         SINK_HOLD, "all events would be refused alike"},
        {400, "media_type_header_exception", "", SINK_HOLD, ""},
        {400, "", "", SINK_HOLD, "nginx: The plain HTTP request was sent to HTTPS port"},
        {400, "never_seen_exception", "", SINK_RETRY, "kept in doubt, in smaller parts"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(
            es_request_outcome(rows[i].status, slice_str(rows[i].type), slice_str(rows[i].reason)),
            rows[i].want, "%d %s: %s", rows[i].status, rows[i].type, rows[i].because);
}
