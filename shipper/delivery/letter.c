#include <stdlib.h>

#include "parsers/json_scan.h"
#include "parsers/timestamp.h"
#include "shipper/delivery/letter.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"

void letter_reason_init(struct letter_reason *r, size_t index, const struct rejection *why)
{
    *r = (struct letter_reason){.index = index};
    if (!why)
        return;
    r->status = why->status;
    r->type = why->type ? strdup(why->type) : NULL;
    r->reason = why->reason ? strdup(why->reason) : NULL;
}

void letter_reason_fini(struct letter_reason *r)
{
    free(r->type);
    free(r->reason);
}

static void add_text(struct buffer *out, const char *key, struct slice text)
{
    buffer_add_lit(out, ",\"");
    buffer_add_slice(out, slice_str(key));
    buffer_add_lit(out, "\":\"");
    json_escape(text, out);
    buffer_add_char(out, '"');
}

static void add_original(struct buffer *out, const struct batch_item *item)
{
    struct buffer line = {0};
    struct buffer escaped = {0};

    if (chunk_original(item->chunk, item->line_offset, item->line_len, &line)) {
        bool is_repaired = json_escape(buffer_slice(&line), &escaped);

        if (is_repaired) { /* not UTF-8: text would not be the original */
            buffer_add_lit(out, ",\"original_base64\":\"");
            buffer_add_base64(out, buffer_slice(&line));
        } else {
            buffer_add_lit(out, ",\"original\":\"");
            buffer_add_slice(out, buffer_slice(&escaped));
        }
        buffer_add_char(out, '"');
    }
    buffer_free(&line);
    buffer_free(&escaped);
}

/* The document of an item: all of it, or the part behind a `_bulk` action line. */
static struct slice document_of(struct slice item)
{
    const char *newline = item.len ? memchr(item.ptr, '\n', item.len) : NULL;

    if (newline && (size_t)(newline - item.ptr) + 1 < item.len)
        item = slice_from(item, (size_t)(newline - item.ptr) + 1);
    return slice_trim_end(item);
}

void letter_encode(const struct letter_reason *r, const struct batch *batch, struct slice plain,
                   const char *output, int64_t now_wall_ns, struct buffer *out)
{
    const struct batch_item *item = &batch->items[r->index];
    const struct stream *s = item->chunk->stream;
    char now[TIMESTAMP_TEXT_MAX];

    buffer_add_lit(out, "{\"time\":\"");
    buffer_add(out, now, timestamp_format(now_wall_ns, now));
    buffer_add_char(out, '"');
    add_text(out, "output", slice_str(output));
    buffer_add_lit(out, ",\"status\":");
    buffer_add_int(out, r->status);
    add_text(out, "type", slice_str(r->type ? r->type : "unknown"));
    add_text(out, "reason", slice_str(r->reason ? r->reason : ""));
    add_text(out, "path", s->profile.path);
    buffer_add_lit(out, ",\"offset\":");
    buffer_add_int(out, (int64_t)(item->chunk->start + item->line_offset));
    add_original(out, item);
    buffer_add_lit(out, ",\"document\":");
    buffer_add_slice(out, document_of(slice_of(plain.ptr + item->body_offset, item->body_len)));
    buffer_add_lit(out, "}\n");
}
