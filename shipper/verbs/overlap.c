#include "shipper/verbs/overlap.h"

#include "shipper/base/buffer.h"
#include "shipper/base/files.h"

static int check_two(const struct input_config *inputs, size_t i, size_t k, struct err *e)
{
    const struct input_config *a = &inputs[i];
    const struct input_config *b = &inputs[k];
    struct buffer what = {0};
    int rc = 0;

    if (a->ops == b->ops && a->ops->overlaps &&
        a->ops->overlaps(a->options, b->options, &files_posix, &what)) {
        err_set(
            e, ERR_CONFIG,
            "both would read it, and each position would be the other's; leave it out of one of "
            "them (exclude)");
        rc = err_at(e, "inputs[%zu] (%s) and inputs[%zu] (%s): %.*s", i, a->common.name, k,
                    b->common.name, SLICE_ARG(buffer_slice(&what)));
    }
    buffer_free(&what);
    return rc;
}

int overlap_check(const struct input_config *inputs, size_t n_inputs, struct err *e)
{
    for (size_t k = 1; k < n_inputs; k++)
        for (size_t i = 0; i < k; i++)
            if (check_two(inputs, i, k, e) < 0)
                return -1;
    return 0;
}
