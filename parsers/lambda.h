/* AWS Lambda's own lines: platform lines and the runtimes' text columns (aws.md 1.2, 1.3).
 *
 * Recognised by first bytes, in exact form; anything else is refused, so that user text that quotes
 * a platform line stays user text. `line` is without its line end, spaces at its end included.
 * Each fills what the line says and returns true.
 * Thread: any. */
#ifndef SHIP_PARSERS_LAMBDA_H
#define SHIP_PARSERS_LAMBDA_H

#include <stdbool.h>

#include "parsers/parser.h"
#include "parsers/record.h"
#include "shipper/base/slice.h"

/* START, END, REPORT (its XRAY part too), INIT_START, INIT_REPORT, RESTORE_*, XRAY, EXTENSION,
 * TELEMETRY, LOGS, the timeout line and the exit lines. False: *out is as it was. */
bool lambda_platform_parse(struct slice line, struct record *out);

/* node.js and .NET "time\tid\tLEVEL\ttext", Python "[LEVEL]\ttime\tid\ttext" and "[ERROR] Type:
 * text", Ruby "I, [time #8]  INFO id -- : text", Go, log4j2, and any text that begins with a time
 * or a level. A JSON object for a text is read as such; the JSON that node.js puts behind "Invoke
 * Error" becomes error.* fields. False: *out may be half filled. */
bool lambda_text_parse(struct slice line, struct parse_scratch *scratch, struct record *out);

/* A platform event in JSON ("type":"platform.*", "record":{...}); `object` is the scanned line. */
bool lambda_platform_json_parse(const struct json_object *object, struct parse_scratch *scratch,
                                struct record *out);

/* 8-4-4-4-12 hex digits, either case. */
bool lambda_is_request_id(struct slice s);

#endif
