/* Records as text, so that a table says in one line what a log line should become.
 *
 * Order and form: kind=start time=<ns> level=info level?=<unknown spelling> message=... request=
 * trace= span= logger= service= faas= version= arn= correlation= cold=yes error= reason= stack=,
 * the report's numbers, ecs=yes flags=<bits> ecs.field=... [own key]=... ; what the line does not
 * say is left out. Values: 'JSON string, escapes and all', "text", JSON as it is. Thread: a test's.
 */
#ifndef SHIP_TESTS_SUPPORT_RECORD_TEXT_H
#define SHIP_TESTS_SUPPORT_RECORD_TEXT_H

#include <stddef.h>

#include "parsers/parser.h"
#include "parsers/record.h"
#include "shipper/base/buffer.h"

void record_text(const struct record *r, struct buffer *out);

struct record_row {
    const char *because;
    const char *line;
    const char *want;
};

/* Parses each line and expects it to say what the row wants; every failing row is told. */
void record_rows_check(const struct parser *p, const struct record_row *rows, size_t n_rows);

/* The same, of times that are written so. */
void record_rows_check_times(const struct parser *p, const struct time_rules *times,
                             const struct record_row *rows, size_t n_rows);

#define RECORD_ROWS_CHECK(parser, rows)                                                            \
    record_rows_check((parser), (rows), sizeof(rows) / sizeof(rows)[0])

/* What the rows are made of. */
#define ID "3f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b11"
#define OTHER_ID "00000000-1111-4222-8333-444444444444"
#define ROOT "1-68e777c0-0123456789abcdef01234567"
#define TRACE "68e777c00123456789abcdef01234567"
#define T "1791536000" /* 2026-10-09T08:53:20 */

#endif
