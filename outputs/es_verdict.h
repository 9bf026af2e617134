/* What an answer of Elasticsearch or OpenSearch means for an event, and for a request.
 *
 * Source: the bulk API's reference, and what the real servers were seen to answer (tests/unit/
 * outputs/test_es_verdict.c has a row for each).
 * Thread: any; pure. */
#ifndef SHIP_OUTPUTS_ES_VERDICT_H
#define SHIP_OUTPUTS_ES_VERDICT_H

#include "outputs/output.h"
#include "shipper/base/slice.h"

/* One item of a bulk reply; `type` and `reason` are the error's, empty when there is none. */
enum verdict es_item_verdict(int status, struct slice type, struct slice reason);

/* The server has no room for so large a document, ever; it says 429 to every item of its request.
 */
bool es_item_is_too_large(int status, struct slice reason);

/* It was refused by the index, so no ingest pipeline did. */
bool es_is_mapping_refusal(struct slice type);

/* A request that was answered with something else than a bulk reply. `type` and `reason` are those
 * of the error at the root, empty when the answer was none of Elasticsearch's. */
enum sink_outcome es_request_outcome(int status, struct slice type, struct slice reason);

#endif
