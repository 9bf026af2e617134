/* ship's own log: one line for each decision, on standard error.
 *
 * For a person on a terminal; as ECS JSON lines otherwise when asked (log_init). Only the edge that
 * decides logs. The same text is not repeated within LOG_REPEAT_MS: it is counted, and the count
 * told with the next line. Nothing waits for a reader that does not read: lines are then left out,
 * and counted.
 * Owner:  one struct log, made in main.
 * Thread: any; a line is not broken up by another. */
#ifndef SHIP_OBSERVE_LOG_H
#define SHIP_OBSERVE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/error.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum { LOG_REPEAT_MS = 10000 };

struct log;

struct log *log_new(int fd, enum log_level least, bool as_json);
void log_free(struct log *l);

/* "error: where: what" */
void log_err(struct log *l, enum log_level level, const struct err *e);
void log_line(struct log *l, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
