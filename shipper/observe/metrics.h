/* A snapshot as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/, 1.0).
 *
 * Thread: any. */
#ifndef SHIP_OBSERVE_METRICS_H
#define SHIP_OBSERVE_METRICS_H

#include "shipper/base/buffer.h"
#include "shipper/observe/snapshot.h"

#define METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Appends all families and the last line, "# EOF". */
void metrics_write(const struct snapshot *s, struct buffer *out);

#endif
