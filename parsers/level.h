/* Log levels: every usual spelling to ECS log.level.
 *
 * Thread: any. */
#ifndef SHIP_PARSERS_LEVEL_H
#define SHIP_PARSERS_LEVEL_H

#include "parsers/record.h"
#include "shipper/base/slice.h"

/* WARN, warning, W, trce, Information, CRITICAL, 30 (bunyan, pino), ...; LEVEL_NONE if unknown. */
enum level level_parse(struct slice text);

/* "info"; "" for LEVEL_NONE. Static. */
struct slice level_name(enum level level);

#endif
