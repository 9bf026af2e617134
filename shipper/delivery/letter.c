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

/* The id is in the action line of `_bulk`; where there is none, the document says it (event.id). */
static struct slice id_of(struct slice item, struct slice document)
{
    static const struct slice keys[] = {SLICE_LIT("\"_id\":\""), SLICE_LIT("\"event.id\":\"")};
    bool has_action = document.ptr > item.ptr;
    struct slice text =
        has_action ? slice_of(item.ptr, (size_t)(document.ptr - item.ptr)) : document;
    ptrdiff_t at = slice_find(text, keys[!has_action]);
    struct slice id = {0};

    if (at < 0)
        return id;
    text = slice_from(text, (size_t)at + keys[!has_action].len);
    slice_cut(&text, '"', &id);
    return id;
}

static void add_reason(const struct letter_reason *r, struct buffer *out)
{
    buffer_add_lit(out, ",\"status\":");
    buffer_add_int(out, r->status);
    add_text(out, "type", slice_str(r->type ? r->type : "unknown"));
    add_text(out, "reason", slice_str(r->reason ? r->reason : ""));
}

static void add_time(int64_t now_wall_ns, struct buffer *out)
{
    char now[TIMESTAMP_TEXT_MAX];

    buffer_add_lit(out, "{\"time\":\"");
    buffer_add(out, now, timestamp_format(now_wall_ns, now));
    buffer_add_char(out, '"');
}

/* Of its line; of a summary its REPORT's, or, if that is nowhere in this stream, where it came out.
 */
static uint64_t offset_of(const struct batch_item *item)
{
    uint64_t place = chunk_item_place(item);

    return place == HAD_PLACE_BEFORE || place == HAD_PLACE_UNKNOWN ? item->chunk->start : place;
}

void letter_encode(const struct letter_reason *r, const struct batch *batch, struct slice plain,
                   const char *output, int64_t now_wall_ns, struct buffer *out)
{
    const struct batch_item *item = &batch->items[r->index];
    const struct stream *s = item->chunk->stream;
    struct slice bytes = slice_of(plain.ptr + item->body_offset, item->body_len);
    struct slice document = document_of(bytes);
    struct slice id = id_of(bytes, document);

    add_time(now_wall_ns, out);
    add_text(out, "output", slice_str(output));
    add_reason(r, out);
    if (id.len)
        add_text(out, "id", id);
    buffer_printf(out, ",\"origin\":\"%016llx\"", (unsigned long long)s->id_key.low);
    add_text(out, "path", s->profile.path);
    buffer_add_lit(out, ",\"offset\":");
    buffer_add_int(out, (int64_t)offset_of(item));
    add_original(out, item);
    buffer_add_lit(out, ",\"document\":");
    buffer_add_slice(out, document);
    buffer_add_lit(out, "}\n");
}

/* --- read back ------------------------------------------------------------------------------- */

static struct slice text_member(const struct json_object *scan, const char *key)
{
    const struct json_member *m = json_find(scan, key);

    return m && m->type == JSON_TYPE_STRING ? m->value : (struct slice){0};
}

static int64_t number_member(const struct json_object *scan, const char *key)
{
    const struct json_member *m = json_find(scan, key);
    int64_t n;

    return m && m->type == JSON_TYPE_NUMBER && slice_to_int(m->value, &n) ? n : 0;
}

uint64_t letter_hex(struct slice text)
{
    char digits[17] = {0};

    if (text.len != 16)
        return 0;
    memcpy(digits, text.ptr, 16);
    return strtoull(digits, NULL, 16);
}

bool letter_read(struct slice line, struct json_object *scan, struct letter *out)
{
    const struct json_member *document;

    *out = (struct letter){0};
    if (json_scan(line, scan) != JSON_OK)
        return false;
    document = json_find(scan, "document");
    if (!document || document->type != JSON_TYPE_OBJECT)
        return false;
    out->document = document->value;
    out->time = text_member(scan, "time");
    out->output = text_member(scan, "output");
    out->type = text_member(scan, "type");
    out->reason = text_member(scan, "reason");
    out->id = text_member(scan, "id");
    out->path = text_member(scan, "path");
    out->original = text_member(scan, "original");
    out->original_base64 = text_member(scan, "original_base64");
    out->status = number_member(scan, "status");
    out->offset = number_member(scan, "offset");
    out->origin = letter_hex(text_member(scan, "origin"));
    return timestamp_parse(out->time, &out->time_ns);
}

void letter_renew(const struct json_object *scan, const struct letter_reason *why,
                  int64_t now_wall_ns, struct buffer *out)
{
    static const char *const renewed[] = {"time", "status", "type", "reason"};

    add_time(now_wall_ns, out);
    add_reason(why, out);
    for (size_t i = 0; i < scan->n_members; i++) {
        const struct json_member *m = &scan->members[i];
        bool is_text = m->type == JSON_TYPE_STRING;
        bool is_renewed = false;

        for (size_t k = 0; k < sizeof renewed / sizeof renewed[0]; k++)
            is_renewed |= slice_is(m->key, renewed[k]);
        if (is_renewed)
            continue;
        buffer_add_lit(out, ",\"");
        buffer_add_slice(out, m->key);
        buffer_add_lit(out, "\":");
        if (is_text)
            buffer_add_char(out, '"');
        buffer_add_slice(out, m->value);
        if (is_text)
            buffer_add_char(out, '"');
    }
    buffer_add_lit(out, "}\n");
}
