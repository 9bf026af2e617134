/* One line through the pipeline: parse, correlate, stamp, name, encode for every output.
 *
 * Owner:  the worker, for one chunk. Thread: the worker's. */
#ifndef SHIP_PIPELINE_LINE_H
#define SHIP_PIPELINE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "parsers/record.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/event.h"
#include "shipper/pipeline/lanes.h"

enum { LANES_MAX = 16 }; /* outputs at once */

struct line_work {
    struct chunk *chunk;
    struct stream *stream;
    struct worker *worker;
    struct batch *open[LANES_MAX]; /* taken off the lanes' shelves when first needed */
    struct record record;
    int64_t first_ns;   /* a time for lines before the first that has one; 0: none found */
    struct slice ahead; /* the chunk's bytes behind the line at hand */
    bool is_out_of_memory;
};

void line_work_init(struct line_work *work, struct chunk *chunk, struct worker *w);
/* The first time that the next n_lines lines of `bytes` say, in `work`'s record; 0: none, or none
 * before the request after `n_starts` of them begins. */
int64_t line_peek_time(struct line_work *work, struct slice bytes, int n_lines, int n_starts);
/* `offset` is the line's in the stream, `flags` what framing found. False: out of memory; nothing
 * of this line counts, and it is read again. */
bool line_process(struct line_work *work, struct slice line, uint64_t offset, unsigned flags);
/* An event of a line that an input has made itself (stream_take_fn), for one output alone. */
bool line_encode_one(struct line_work *work, size_t lane, const struct event *event,
                     uint32_t line_offset);
/* Summaries that were waiting for a line which did not come. */
bool line_flush(struct line_work *work);
/* Gives the open batches back. */
void line_work_fini(struct line_work *work);

#endif
