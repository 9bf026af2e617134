/* Join: lines of a stream into records of one or more lines.
 *
 * A record that may go on is left where it is: its chunk ends before it, and it is read again with
 * what follows. So an open record needs no memory of its own, survives a restart, and is the same
 * however the stream was cut into chunks. It ends when a line does not belong to it, at a limit,
 * when the stream has been quiet for `timeout_ms`, and where the stream ends for good.
 * Thread: any; pure. */
#ifndef SHIP_PIPELINE_JOIN_H
#define SHIP_PIPELINE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/pipeline/frame.h"

/* In the order of the choices in config/common_options.c. */
enum join_mode {
    JOIN_AUTO, /* stack traces (parsers/stack_trace.h) */
    JOIN_NONE, /* each line is a record */
};

struct join_options {
    int mode; /* enum join_mode */
    int64_t max_lines;
    int64_t max_bytes; /* a line that would make the record longer begins another */
    int64_t timeout_ms;
};

enum join_end {
    JOIN_WHOLE, /* no more belongs to it */
    JOIN_OPEN,  /* more may come */
};

/* `line` is the last that was taken off *f. When JOIN_WHOLE, what belongs to it is taken off too:
 * line->text is all of it, line ends within included, of *n_lines lines. When JOIN_OPEN, *f and
 * *line are as they were; not if the stream is_quiet. */
enum join_end join_take(const struct join_options *options, struct frame *f,
                        struct frame_line *line, uint32_t *n_lines, bool is_quiet);

#endif
