/* Log levels: every usual spelling to ECS log.level.
 *
 * Thread: any. */
#ifndef SHIP_PARSERS_LEVEL_H
#define SHIP_PARSERS_LEVEL_H

#include <stdbool.h>

#include "parsers/record.h"
#include "shipper/base/slice.h"

/* WARN, warning, W, trce, Information, CRITICAL, INFO+2 (Go), 30 (bunyan, pino), ...; LEVEL_NONE if
 * unknown. */
enum level level_parse(struct slice text);

/* A number means what its key says: "levelno" is Python's, "severityLevel" Azure's, "severity"
 * Google's, "severityNumber" OpenTelemetry's, "syslog_severity" syslog's; under any other key it is
 * bunyan's and pino's (30), Monolog's (300) or Logback's (30000). */
enum level level_parse_number(struct slice key, struct slice digits);

/* What says that there is no level: Java's UNDEFINED, Google's DEFAULT. */
bool level_is_unsaid(struct slice text);

/* "info"; "" for LEVEL_NONE. Static. */
struct slice level_name(enum level level);

#endif
