#include "outputs/local_record.h"
#include "parsers/json_scan.h"
#include "parsers/level.h"
#include "shipper/pipeline/event.h"

enum { LENGTHS = 9 }; /* the texts of struct local_record, in their order */

/* Stands before the texts; a body has no alignment, so it is copied in and out. */
struct head {
    int64_t time_ns;
    uint64_t origin, offset;
    uint32_t lens[LENGTHS];
};

/* Where the next text goes: its length is known when it has been written. */
struct writer {
    struct buffer *body;
    struct head head;
    size_t n_texts;
    size_t text_from;
};

static void end_text(struct writer *w)
{
    w->head.lens[w->n_texts++] = (uint32_t)(w->body->len - w->text_from);
    w->text_from = w->body->len;
}

static void add_text(struct writer *w, struct slice text)
{
    buffer_add_slice(w->body, text);
    end_text(w);
}

static void add_function(struct writer *w, const struct event *event)
{
    const struct value *name = &event->record->faas_name;

    if (name->kind == VALUE_JSON_STRING)
        json_unescape(name->bytes, w->body);
    else
        buffer_add_slice(w->body, event->function);
    end_text(w);
}

static void add_init(struct writer *w, const struct event *event)
{
    if (event->init_id)
        buffer_printf(w->body, "%016llx", (unsigned long long)event->init_id);
    end_text(w);
}

/* The words of a stack trace are looked for too. */
static void add_words(struct writer *w, const struct value *v)
{
    if (v->kind == VALUE_NONE)
        return;
    buffer_add_char(w->body, '\n');
    if (v->kind == VALUE_TEXT)
        buffer_add_slice(w->body, v->bytes);
    else
        json_unescape(v->bytes, w->body);
}

void local_record_encode(const struct event *event, struct buffer *body)
{
    size_t start = body->len;
    struct writer w = {
        .body = body,
        .head = {.time_ns = event->time_ns, .origin = event->origin, .offset = event->offset}};
    bool has_level = event->level != LEVEL_NONE;

    buffer_add(body, &w.head, sizeof w.head);
    w.text_from = body->len;
    add_text(&w, slice_of(event->id, event->stream->has_id ? sizeof event->id : 0));
    add_function(&w, event);
    add_text(&w, event->request_id);
    add_text(&w, event->trace_id);
    add_init(&w, event);
    add_text(&w, has_level ? level_name(event->level) : event->record->level_text);
    add_text(&w, document_action(event));
    document_message(event, body);
    add_words(&w, &event->record->error_stack);
    end_text(&w);
    document_encode(event, true, body);
    end_text(&w);
    if (!body->failed)
        memcpy(body->ptr + start, &w.head, sizeof w.head);
}

bool local_record_decode(struct slice bytes, struct local_record *out)
{
    struct slice *const texts[LENGTHS] = {&out->id,     &out->function, &out->request,
                                          &out->trace,  &out->init,     &out->level,
                                          &out->action, &out->message,  &out->document};
    struct head head;

    if (bytes.len < sizeof head)
        return false;
    memcpy(&head, bytes.ptr, sizeof head);
    bytes = slice_from(bytes, sizeof head);
    out->time_ns = head.time_ns;
    out->origin = head.origin;
    out->offset = head.offset;
    for (size_t i = 0; i < LENGTHS; i++) {
        if (head.lens[i] > bytes.len)
            return false;
        *texts[i] = slice_of(bytes.ptr, head.lens[i]);
        bytes = slice_from(bytes, head.lens[i]);
    }
    return bytes.len == 0;
}
