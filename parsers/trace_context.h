/* Trace context in the forms that logs carry (aws.md 1.7; W3C Trace Context; Zipkin B3).
 *
 * Each fills trace_id (32 lower-case hex digits, no dashes), span_id where given, and the has_*
 * marks; false if the text is not that form.
 * Thread: any. */
#ifndef SHIP_PARSERS_TRACE_CONTEXT_H
#define SHIP_PARSERS_TRACE_CONTEXT_H

#include <stdbool.h>

#include "parsers/record.h"
#include "shipper/base/slice.h"

/* "1-5759e988-bd862e3fe1be46a994272793", or "Root=...;Parent=...;Sampled=1" in any order. */
bool trace_parse_xray(struct slice s, struct record *out);
/* "00-<32 hex>-<16 hex>-01". */
bool trace_parse_traceparent(struct slice s, struct record *out);
/* "<32 or 16 hex>-<16 hex>[-...]". */
bool trace_parse_b3(struct slice s, struct record *out);
/* "<32 hex>/<decimal span>[;o=1]", also behind "projects/P/traces/". */
bool trace_parse_cloud(struct slice s, struct record *out);
/* A bare id: 32 or 16 hex digits, dashes of a UUID or of an X-Ray root allowed. */
bool trace_parse_id(struct slice s, struct record *out);
bool trace_parse_span_id(struct slice s, struct record *out);
/* 64 bits as a decimal number, as Google and Datadog write them. */
bool trace_parse_decimal_span_id(struct slice s, struct record *out);

#endif
