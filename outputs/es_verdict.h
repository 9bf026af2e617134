/* What an answer of Elasticsearch or OpenSearch means for an event, and for a request.
 *
 * Source: the bulk API's reference, and what the real servers were seen to answer (tests/unit/
 * outputs/test_es_verdict.c has a row for each).
 * Thread: any; pure. */
#ifndef SHIP_OUTPUTS_ES_VERDICT_H
#define SHIP_OUTPUTS_ES_VERDICT_H

#include "outputs/output.h"
#include "shipper/base/slice.h"

/* One item of a bulk reply; `type` is error.type, empty when there is none. */
enum verdict es_item_verdict(int status, struct slice type);

/* A request that was answered with something else than a bulk reply (status 200). */
enum sink_outcome es_request_outcome(int status, struct slice type);

#endif
