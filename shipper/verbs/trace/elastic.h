/* Questions to Elasticsearch or OpenSearch, one at a time, each waited for.
 *
 * Owner:  elastic_free. A json_t that is handed out is the caller's.
 * Errors: ERR_NET (not reached, no whole answer), ERR_REFUSED (the server said no), ERR_NOMEM. The
 *         texts name server and index, never credentials.
 * Thread: the verb's; blocks, at most the configured timeout. */
#ifndef SHIP_VERBS_TRACE_ELASTIC_H
#define SHIP_VERBS_TRACE_ELASTIC_H

#include <jansson.h>

#include "outputs/es_options.h"
#include "shipper/base/error.h"

struct elastic;

/* Borrows the options. NULL and *e. */
struct elastic *elastic_new(const struct es_options *options, struct err *e);
void elastic_free(struct elastic *el);

/* POSTs `body` (taken; NULL: an empty one) to INDEX/`endpoint` and returns what came back with 200;
 * NULL and *e. */
json_t *elastic_ask(struct elastic *el, const char *endpoint, json_t *body, struct err *e);

#endif
