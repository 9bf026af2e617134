/* One dead letter as a line of JSON.
 *
 * {"time","output","status","type","reason","id","origin","path","offset",
 *  "original" | "original_base64","document"}: original is the line as it was read (absent if its
 * source no longer has it), document what was sent, id the event's (absent for `id: none`), origin
 * what its id grew from, as 16 hex digits. It can be sent again from here alone, under the same id.
 * Thread: any. */
#ifndef SHIP_DELIVERY_LETTER_H
#define SHIP_DELIVERY_LETTER_H

#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "parsers/json_scan.h"
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

/* A letter that was read back. Texts are as they stand between their quotes, escapes and all. */
struct letter {
    struct slice time, output, type, reason, id, path;
    struct slice original, original_base64; /* both empty: there is none */
    struct slice document;                  /* a JSON object */
    int64_t time_ns;
    int64_t status;
    int64_t offset;
    uint64_t origin;
};

/* A number as letters and documents write it, 16 hex digits; 0: it is none. */
uint64_t letter_hex(struct slice text);

/* Points into `line` and `scan`. False: it is no letter (torn, cut, or something else). */
bool letter_read(struct slice line, struct json_object *scan, struct letter *out);

/* Appends the letter once more, with the new reason and time, everything else as it was; `scan` is
 * what letter_read made of it. */
void letter_renew(const struct json_object *scan, const struct letter_reason *why,
                  int64_t now_wall_ns, struct buffer *out);

#endif
