#define _GNU_SOURCE /* memmem */
#include "shipper/pipeline/document_app.h"
#include "parsers/json_scan.h"

static void add_value(struct buffer *out, const struct value *v)
{
    if (v->kind == VALUE_JSON) {
        buffer_add_slice(out, v->bytes);
        return;
    }
    buffer_add_char(out, '"');
    if (v->kind == VALUE_JSON_STRING)
        buffer_add_slice(out, v->bytes);
    else
        json_escape(v->bytes, out);
    buffer_add_char(out, '"');
}

/* Elasticsearch refuses a key without a name between its dots. */
static bool has_bad_dots(struct slice key)
{
    return key.len == 0 || key.ptr[0] == '.' || key.ptr[key.len - 1] == '.' ||
           slice_find(key, slice_str("..")) >= 0;
}

static void add_app_member(struct buffer *out, const struct field *f)
{
    buffer_add_char(out, '"');
    if (has_bad_dots(f->key))
        buffer_add_char(out, '_');
    for (struct slice rest = f->key, part; rest.len;) {
        /* "a..b" cannot stay: a run of dots becomes one name. */
        if (!has_bad_dots(f->key) || !slice_cut(&rest, '.', &part)) {
            buffer_add_slice(out, rest);
            break;
        }
        buffer_add_slice(out, part);
        buffer_add_char(out, '_');
    }
    buffer_add_lit(out, "\":");
    add_value(out, &f->value);
}

/* The objects that ship itself writes into: a scalar of that name at the root would clash. */
static bool is_object_name(struct slice key)
{
    static const struct slice names[] = {
        SLICE_LIT("log"),   SLICE_LIT("faas"),  SLICE_LIT("event"),  SLICE_LIT("host"),
        SLICE_LIT("ecs"),   SLICE_LIT("trace"), SLICE_LIT("labels"), SLICE_LIT("service"),
        SLICE_LIT("error"), SLICE_LIT("span"),  SLICE_LIT("cloud"),  SLICE_LIT("aws"),
        SLICE_LIT("app"),
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq(key, names[i]))
            return true;
    return false;
}

/* The keys that ship may have written into this document already. */
static bool is_own_key(struct slice key, const struct stream_profile *stream)
{
    static const struct slice names[] = {
        SLICE_LIT("@timestamp"),       SLICE_LIT("message"),
        SLICE_LIT("log.level"),        SLICE_LIT("log.flags"),
        SLICE_LIT("log.offset"),       SLICE_LIT("log.logger"),
        SLICE_LIT("log.file.path"),    SLICE_LIT("faas.execution"),
        SLICE_LIT("faas.name"),        SLICE_LIT("faas.version"),
        SLICE_LIT("faas.id"),          SLICE_LIT("faas.coldstart"),
        SLICE_LIT("trace.id"),         SLICE_LIT("span.id"),
        SLICE_LIT("service.name"),     SLICE_LIT("error.type"),
        SLICE_LIT("error.message"),    SLICE_LIT("error.stack_trace"),
        SLICE_LIT("event.id"),         SLICE_LIT("event.action"),
        SLICE_LIT("event.duration"),   SLICE_LIT("labels.request_id_source"),
        SLICE_LIT("labels.init_id"),   SLICE_LIT("labels.correlation_id"),
        SLICE_LIT("cloud.provider"),   SLICE_LIT("cloud.region"),
        SLICE_LIT("cloud.account.id"), SLICE_LIT("event.original"),
    };
    struct slice fixed = stream->static_json;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_eq(key, names[i]))
            return true;
    /* static_json is our own text: `,"key":` stands there only as a key. */
    while (fixed.len) {
        ptrdiff_t at = slice_find(fixed, key);

        if (at < 0)
            return false;
        if (at > 0 && fixed.ptr[at - 1] == '"' && (size_t)at + key.len < fixed.len &&
            fixed.ptr[(size_t)at + key.len] == '"')
            return true;
        fixed = slice_from(fixed, (size_t)at + 1);
    }
    return false;
}

static bool may_stand_at_root(const struct field *f, const struct stream_profile *stream)
{
    bool is_object =
        f->value.kind == VALUE_JSON && f->value.bytes.len && *f->value.bytes.ptr == '{';

    if (f->value.kind == VALUE_TEXT || has_bad_dots(f->key) || f->key.ptr[0] == '_')
        return false;
    return !is_own_key(f->key, stream) && (is_object || !is_object_name(f->key));
}

void document_add_fields(const struct record *r, const struct stream_profile *stream,
                         struct buffer *out)
{
    bool is_open = false;

    for (size_t i = 0; r->is_ecs && i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];

        if (!may_stand_at_root(f, stream))
            continue;
        buffer_add_lit(out, ",\"");
        buffer_add_slice(out, f->key);
        buffer_add_lit(out, "\":");
        add_value(out, &f->value);
    }
    for (size_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];

        if (r->is_ecs && may_stand_at_root(f, stream))
            continue;
        if (is_open)
            buffer_add_char(out, ',');
        else
            buffer_add_lit(out, ",\"app\":{");
        is_open = true;
        add_app_member(out, f);
    }
    if (is_open)
        buffer_add_char(out, '}');
}
