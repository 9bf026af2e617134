/* How far behind the file input is. */
#include "shipper/inputs/file_input.h"

/* By what was last seen of its size, and by what is settled: of a tail that is in work the loop
 * knows no other position. */
static uint64_t lag_of(const struct tail *t)
{
    if (t->is_packed) /* its positions are those of the plain text */
        return 0;
    return t->size > t->stream.settled_position ? t->size - t->stream.settled_position : 0;
}

uint64_t file_lag_bytes(const struct input *in)
{
    uint64_t sum = 0;

    for (const struct link *l = in->all.next; l != &in->all; l = l->next)
        sum += lag_of(LIST_ENTRY(l, struct tail, all));
    return sum;
}
