/* What the answer to one request of the elasticsearch output comes to, in the engine's terms.
 *
 * Its texts name hosts, statuses and the server's error types; never a reason, which may quote an
 * event, and never credentials.
 * Thread: any; pure. */
#ifndef SHIP_OUTPUTS_ES_JUDGE_H
#define SHIP_OUTPUTS_ES_JUDGE_H

#include <stdbool.h>

#include "outputs/es_reply.h"
#include "outputs/output.h"
#include "outputs/transport.h"

/* One request and its answer. */
struct es_answer {
    const struct http_reply *http;
    const struct es_reply *reply;
    bool is_json;     /* its body was, as far as it came */
    const char *host; /* URL without credentials */
    const char *index;
};

/* Fills *out; out->verdicts and the texts of out->rejections are the reply's, the list of
 * rejections is the caller's to free. */
void es_judge(const struct es_answer *a, struct sink_reply *out);
/* The same for the question that `ship check` asks: ERR_NONE in *why when all is well. */
void es_judge_probe(const struct es_answer *a, struct err *why);
/* The host, or what stands before it, is not well: others take its share for a while. */
bool es_is_host_ill(const struct http_reply *http);

#endif
