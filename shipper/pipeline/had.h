/* What each output has had of a stream, beyond the position that all of them have passed.
 *
 * A position moves when every output has all that is before it. Where one of them is stuck, what
 * the others had meanwhile is read again by the next agent (a reload) or the next start: what is
 * noted here is not encoded for them once more. One that knows ids would say 409; one that does not
 * (standard output, `id: none`) would have it twice, and so would the dead letters.
 * An event is known by its place: where its line begins; of a summary, where its REPORT does. In a
 * batch, the events of a chunk stand in the order of their places, and what is missing between two
 * of them has its verdict already; so what is had are ranges.
 * Owner:  a chunk has what was settled of it; a stream what was noted in an earlier life.
 * Thread: the loop's; a stream's is only read once it has chunks in work, and so by any. */
#ifndef SHIP_PIPELINE_HAD_H
#define SHIP_PIPELINE_HAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/number_set.h"
#include "shipper/base/slice.h"

struct batch_item;
struct lanes;
struct stream;

/* Of one output. */
struct had {
    struct number_set lines;
    struct number_set summaries;
};

struct had_list {
    struct had *outputs; /* by index; behind the last that has had something there is none */
    unsigned n_outputs;
};

/* The place of a summary that the file before left to this one; and of one that is not known. */
#define HAD_PLACE_BEFORE (UINT64_MAX - 2)
#define HAD_PLACE_UNKNOWN (UINT64_MAX - 1)

/* n events of one chunk, neighbours in a batch of this output, have their last verdict. Without
 * memory nothing is noted: they come once more. */
void had_note(struct had_list *list, unsigned output, const struct batch_item *items, size_t n);
bool had_has(const struct had_list *list, unsigned output, bool is_summary, uint64_t place);
void had_free(struct had_list *list);

/* Appends what the outputs have had of the stream behind its settled position; nothing, if that is
 * nothing. By their identity (lanes.h): one that has none is left out. */
void had_save(const struct stream *s, const struct lanes *lanes, struct buffer *out);
/* s->had becomes what `bytes` say of the outputs that are there; before its first chunk. */
void had_load(struct stream *s, const struct lanes *lanes, struct slice bytes);

#endif
