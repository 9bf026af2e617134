/* Frame: bytes of a stream into lines.
 *
 * A line ends at \n; one \r before it goes too. A line longer than max_line is cut at a character's
 * border, flagged, and its rest skipped, however long: its neighbours are unharmed. A run of NULs
 * at the start of a line is no text but a hole (a writer without O_APPEND after a truncation) and
 * is skipped. Memory: lines point into the bytes. Thread: any; pure. */
#ifndef SHIP_PIPELINE_FRAME_H
#define SHIP_PIPELINE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/slice.h"

struct frame {
    struct slice bytes;
    size_t max_line;
    size_t at;            /* what has been taken: up to a line's start, or inside a skipped line */
    bool is_in_long_line; /* the bytes at `at` are the rest of a line that was cut */
    bool is_last;         /* no more bytes will come: what has no \n is a line too */
    uint64_t skipped_bytes; /* rests of long lines, and holes */
};

struct frame_line {
    struct slice text;
    size_t offset; /* of text in the bytes */
    bool is_cut;
};

void frame_init(struct frame *f, struct slice bytes, int64_t max_line, bool is_in_long_line,
                bool is_last);
/* The next line; false when there is no whole one left. */
bool frame_next(struct frame *f, struct frame_line *line);

#endif
