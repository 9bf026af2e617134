/* One dead letter as a line of JSON.
 *
 * {"time","output","status","type","reason","path","offset","original" | "original_base64",
 *  "document"}: original is the line as it was read (absent if its source no longer has it),
 * document what was sent. It can be sent again from here alone.
 * Thread: any. */
#ifndef SHIP_DELIVERY_LETTER_H
#define SHIP_DELIVERY_LETTER_H

#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/batch.h"

/* Why one item of a batch is set aside; a copy of what the reply said. */
struct letter_reason {
    size_t index;
    int status;
    char *type;
    char *reason;
};

/* `why` may be NULL. What cannot be copied for want of memory is left out. */
void letter_reason_init(struct letter_reason *r, size_t index, const struct rejection *why);
void letter_reason_fini(struct letter_reason *r);

/* Appends the line and its newline. `plain` is the batch's plain body. */
void letter_encode(const struct letter_reason *r, const struct batch *batch, struct slice plain,
                   const char *output, int64_t now_wall_ns, struct buffer *out);

#endif
