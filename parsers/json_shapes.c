#include "parsers/json_shapes.h"
#include "parsers/ecs_fields.h"
#include "parsers/fill.h"
#include "parsers/json_shape_rows.h"
#include "parsers/json_take.h"
#include "parsers/trace_context.h"

enum {
    PATH_MAX_LEN = 96,
    LONGEST_WORD = 256,
    MS_NS = 1000000,
    SECOND_NS = 1000000000,
};

struct walk {
    struct reading *r;
    const struct shape *shape;
    uint32_t filled; /* slots: of two members for one, the first counts */
    size_t n_left;   /* objects that were taken apart */
    struct json_member *payload;
};

/* A string that is what it says, and not empty. */
static bool is_word(const struct json_member *m)
{
    return m->type == JSON_TYPE_STRING && !m->value_escaped && m->value.len &&
           m->value.len <= LONGEST_WORD;
}

static bool is_scalar(const struct json_member *m)
{
    return is_word(m) || m->type == JSON_TYPE_NUMBER;
}

/* ------------------------------------------------------------------ single values */

/* What the shape says counts more than what a key of that name may mean elsewhere. */
static bool take_slot(struct walk *w, enum json_slot slot, const struct json_member *m)
{
    struct reading *r = w->r;

    if (w->filled & 1u << slot || !json_take(slot, m, r->scratch, r->out))
        return false;
    w->filled |= 1u << slot;
    if (r->owner[slot] && r->owner[slot] != m)
        r->owner[slot]->is_taken = false;
    r->owner[slot] = NULL;
    r->rank[slot] = 0;
    return true;
}

static bool put_root(struct walk *w, const char *field, struct value value)
{
    const struct ecs_field *f = ecs_field_find(slice_str(field));
    struct record *out = w->r->out;

    for (size_t i = 0; f && i < out->n_root; i++)
        if (out->root[i].key.ptr == f->name.ptr)
            return false;
    return f && fill_root_value(out, w->r->scratch, f, value);
}

static bool put_root_text(struct walk *w, const char *field, struct slice text)
{
    const struct ecs_field *f = ecs_field_find(slice_str(field));
    struct value value;

    return f && ecs_field_value(f, text, &value) && put_root(w, field, value);
}

static bool take_root(struct walk *w, const char *field, const struct json_member *m)
{
    const struct ecs_field *f = ecs_field_find(slice_str(field));
    struct value value;

    if ((m->type != JSON_TYPE_STRING && m->type != JSON_TYPE_NUMBER) || !f ||
        !ecs_field_value(f, m->value, &value) ||
        (f->type == ECS_LONG && *m->value.ptr == '-')) /* -1: not known */
        return false;
    if (m->type == JSON_TYPE_STRING && f->type == ECS_KEYWORD)
        value.kind = VALUE_JSON_STRING;
    return put_root(w, field, value);
}

static bool take_span(const struct json_member *m, struct record *out)
{
    return is_scalar(m) && (trace_parse_span_id(m->value, out) ||
                            (m->value.len != 16 && trace_parse_decimal_span_id(m->value, out)));
}

static bool take_function(struct walk *w, const struct json_member *m)
{
    static const struct slice prefix = SLICE_LIT("Functions.");
    struct json_member bare = *m;

    if (!is_word(m) || memchr(m->value.ptr, '/', m->value.len)) /* an operation of another kind */
        return false;
    if (slice_starts(m->value, prefix))
        bare.value = slice_from(m->value, prefix.len);
    return take_slot(w, JSON_SLOT_FAAS_NAME, &bare);
}

/* They stay where they are, too: both are needed for cloud.* to be told. */
static bool take_plain(const struct json_member *m, struct slice *out)
{
    if (is_word(m))
        *out = m->value;
    return false;
}

/* "/SUBSCRIPTIONS/<id>/RESOURCEGROUPS/..." */
static bool take_resource(const struct json_member *m, struct record *out)
{
    static const struct slice head = SLICE_LIT("/subscriptions/");
    struct slice rest;
    struct slice id;

    if (!is_word(m) || m->value.len <= head.len ||
        !slice_eq_nocase(slice_of(m->value.ptr, head.len), head))
        return false;
    rest = slice_from(m->value, head.len);
    out->cloud_account = slice_cut(&rest, '/', &id) ? id : rest;
    return false;
}

/* "10.0.0.1", "10.0.0.1:5555", "[::1]:5555" */
static bool take_address(struct walk *w, const struct json_member *m)
{
    struct slice host = m->value;
    const char *colon;

    if (!is_word(m))
        return false;
    if (*host.ptr == '[' && slice_find(host, slice_str("]")) > 0)
        host = slice_of(host.ptr + 1, (size_t)slice_find(host, slice_str("]")) - 1);
    else if ((colon = memchr(host.ptr, ':', host.len)) &&
             !memchr(colon + 1, ':', (size_t)(host.ptr + host.len - colon - 1)))
        host.len = (size_t)(colon - host.ptr);
    return put_root_text(w, "client.ip", host);
}

static bool take_protocol(struct walk *w, const struct json_member *m)
{
    return is_word(m) && slice_starts(m->value, slice_str("HTTP/")) && m->value.len > 5 &&
           put_root_text(w, "http.version", slice_from(m->value, 5));
}

static bool take_status(struct walk *w, const struct json_member *m)
{
    return is_scalar(m) && m->value.len == 3 && *m->value.ptr >= '1' && *m->value.ptr <= '5' &&
           put_root_text(w, "http.response.status_code", m->value);
}

/* "12", "0.003812": so many units of unit_ns. */
static bool parse_decimal(struct slice s, int64_t unit_ns, int64_t *ns)
{
    struct slice whole;
    int64_t value;
    int64_t scale = unit_ns / 10;

    if (!slice_cut(&s, '.', &whole)) {
        whole = s;
        s.len = 0;
    }
    if (!slice_to_int(whole, &value) || value > INT64_MAX / 2 / unit_ns)
        return false;
    *ns = value * unit_ns;
    for (size_t i = 0; i < s.len; i++, scale /= 10) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        *ns += (s.ptr[i] - '0') * scale;
    }
    return true;
}

static bool take_duration(struct walk *w, const struct json_member *m, int64_t unit_ns)
{
    struct buffer *text = &w->r->scratch->text;
    struct slice s = m->value;
    size_t from;
    int64_t ns;

    if (unit_ns == SECOND_NS && slice_ends(s, slice_str("s")))
        s.len--;
    if (!is_scalar(m) || !parse_decimal(s, unit_ns, &ns) || !json_reading_has_text_room(w->r))
        return false;
    if (text->cap - text->len < 32)
        return false;
    from = text->len;
    buffer_add_int(text, ns);
    return put_root_text(w, "event.duration", slice_of(text->ptr + from, text->len - from));
}

/* Cloudflare's other outcomes than "ok" are failures; what is neither stays. */
static bool take_outcome(struct walk *w, const struct json_member *m)
{
    bool is_good = m->type == JSON_TYPE_TRUE;
    bool is_bad = m->type == JSON_TYPE_FALSE;

    if (is_word(m)) {
        is_good = slice_eq_nocase(m->value, slice_str("ok")) ||
                  slice_eq_nocase(m->value, slice_str("true"));
        is_bad = !is_good && !slice_is(m->value, "unknown") && !slice_is(m->value, "canceled");
    }
    if (is_good || is_bad)
        put_root_text(w, "event.outcome", slice_str(is_good ? "success" : "failure"));
    if (is_bad && w->r->out->level == LEVEL_NONE)
        w->r->out->level = LEVEL_ERROR;
    return m->type == JSON_TYPE_TRUE || m->type == JSON_TYPE_FALSE; /* a word says more */
}

/* ------------------------------------------------------------------ values with values in them */

enum walked { WALKED_NOTHING, WALKED_SOME, WALKED_ALL };

static enum walked walk_object(struct walk *w, struct json_object *o, struct slice prefix,
                               int depth);

/* "{'appName':'x','late':'it\'s'}", which Azure writes for an object: its quotes changed. */
static void change_quotes(struct slice s, struct buffer *out)
{
    bool is_in_string = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '\\' && i + 1 < s.len) {
            c = s.ptr[++i];
            if (c != '\'')
                buffer_add_char(out, '\\');
            buffer_add_char(out, c);
        } else if (c == '\'') {
            is_in_string = !is_in_string;
            buffer_add_char(out, '"');
        } else {
            if (c == '"' && is_in_string)
                buffer_add_char(out, '\\');
            buffer_add_char(out, c);
        }
    }
}

/* An object that was written as a string: as JSON, or nearly. It must not make the text move. */
static bool scan_text(struct reading *r, const struct json_member *m, struct json_object *into)
{
    struct buffer *text = &r->scratch->text;
    struct slice plain;
    size_t from;

    if (!slice_starts(m->value, slice_str("{")) || !json_reading_has_text_room(r) ||
        text->cap - text->len < 3 * m->value.len + 256)
        return false;
    from = text->len;
    json_unescape(m->value, text);
    plain = slice_of(text->ptr + from, text->len - from);
    if (json_scan(plain, into) == JSON_OK)
        return true;
    from = text->len;
    change_quotes(plain, text);
    return json_scan(slice_of(text->ptr + from, text->len - from), into) == JSON_OK;
}

/* "properties" becomes "properties.", for what is left of it. */
static bool leave_rest(struct walk *w, struct slice path)
{
    char prefix[PATH_MAX_LEN + 2];

    memcpy(prefix, path.ptr, path.len);
    memcpy(prefix + path.len, ".", 2);
    return w->n_left++ < READING_MOST_GROUPS && json_reading_has_text_room(w->r) &&
           json_reading_leave_rest(w->r, prefix);
}

static bool take_object(struct walk *w, const struct json_member *m, struct slice path, int depth)
{
    struct json_object *into = depth ? &w->r->scratch->third : &w->r->scratch->nested;
    enum walked walked;

    if (depth > 1 || m->is_unsafe)
        return false;
    if (m->type == JSON_TYPE_STRING
            ? !scan_text(w->r, m, into)
            : m->type != JSON_TYPE_OBJECT || json_scan(m->value, into) != JSON_OK)
        return false;
    walked = walk_object(w, into, path, depth + 1);
    return walked == WALKED_ALL || (walked == WALKED_SOME && !depth && leave_rest(w, path));
}

static void keep_first(void *ctx, enum json_type type, struct slice value)
{
    struct json_member *first = ctx;

    if (first->value.ptr)
        return;
    first->type = (uint8_t)type;
    first->value = value;
    first->value_escaped = value.len && memchr(value.ptr, '\\', value.len);
}

/* The others stay: the array is not taken. */
static bool take_first(struct walk *w, const struct shape_row *row, const struct json_member *m,
                       struct slice path, int depth)
{
    struct json_member first = {.is_unsafe = m->is_unsafe};

    if (m->type != JSON_TYPE_ARRAY)
        return row->field && take_root(w, row->field, m);
    json_each(m->value, keep_first, &first);
    if (first.value.ptr && row->field)
        take_root(w, row->field, &first);
    else if (first.type == JSON_TYPE_OBJECT && first.value.ptr && !first.is_unsafe &&
             json_scan(first.value, &w->r->scratch->third) == JSON_OK)
        walk_object(w, &w->r->scratch->third, path, depth + 2);
    return false;
}

static bool take(struct walk *w, const struct shape_row *row, const struct json_member *m,
                 struct slice path, int depth)
{
    struct record *out = w->r->out;

    switch ((enum shape_how)row->how) {
    case SHAPE_SLOT:
        return take_slot(w, (enum json_slot)row->slot, m);
    case SHAPE_ROOT:
        return take_root(w, row->field, m);
    case SHAPE_OBJECT:
        return take_object(w, m, path, depth);
    case SHAPE_FIRST:
        return take_first(w, row, m, path, depth);
    case SHAPE_PAYLOAD:
        return m->type == JSON_TYPE_OBJECT && !m->is_unsafe;
    case SHAPE_SPAN:
        return take_span(m, out);
    case SHAPE_FUNCTION:
        return take_function(w, m);
    case SHAPE_REGION:
        return take_plain(m, &out->cloud_region);
    case SHAPE_ACCOUNT:
        return take_plain(m, &out->cloud_account);
    case SHAPE_RESOURCE:
        return take_resource(m, out);
    case SHAPE_ADDRESS:
        return take_address(w, m);
    case SHAPE_PROTOCOL:
        return take_protocol(w, m);
    case SHAPE_SECONDS:
        return take_duration(w, m, SECOND_NS);
    case SHAPE_MS:
        return take_duration(w, m, MS_NS);
    case SHAPE_OUTCOME:
        return take_outcome(w, m);
    case SHAPE_STATUS:
        return take_status(w, m);
    }
    return false;
}

static const struct shape_row *row_of(const struct shape *shape, struct slice path)
{
    for (size_t i = 0; i < shape->n_rows; i++)
        if (slice_eq_nocase(path, slice_str(shape->rows[i].path)))
            return &shape->rows[i];
    return NULL;
}

static enum walked walk_object(struct walk *w, struct json_object *o, struct slice prefix,
                               int depth)
{
    char text[PATH_MAX_LEN];
    bool is_all = true;
    bool is_any = false;

    for (size_t i = 0; i < o->n_members; i++) {
        struct json_member *m = &o->members[i];
        size_t dot = prefix.len ? prefix.len + 1 : 0;
        const struct shape_row *row = NULL;

        if (m->is_shadowed)
            continue;
        if (!m->key_escaped && dot + m->key.len <= sizeof text) {
            memcpy(text, prefix.ptr ? prefix.ptr : "", prefix.len);
            if (dot)
                text[prefix.len] = '.';
            memcpy(text + dot, m->key.ptr, m->key.len);
            row = row_of(w->shape, slice_of(text, dot + m->key.len));
        }
        if (row && take(w, row, m, slice_of(text, dot + m->key.len), depth))
            m->is_taken = true;
        if (row && m->is_taken && row->how == SHAPE_PAYLOAD)
            w->payload = m;
        is_all &= m->is_taken;
        is_any |= m->is_taken;
    }
    return is_all ? WALKED_ALL : is_any ? WALKED_SOME : WALKED_NOTHING;
}

/* ------------------------------------------------------------------ the line */

/* Functions' print() leaves its newline in the message. */
static void trim_newline(struct value *message)
{
    struct slice *s = &message->bytes;
    size_t n = 0;

    if (message->kind != VALUE_JSON_STRING || !slice_ends(*s, slice_str("\\n")))
        return;
    while (n + 1 < s->len && s->ptr[s->len - 2 - n] == '\\')
        n++;
    if (n % 2)
        s->len -= 2;
}

struct json_member *json_shape_read(struct reading *r)
{
    struct walk w = {.r = r, .shape = json_shape_of((enum json_group)r->shape)};

    if (!w.shape || r->out->is_ecs ||
        (w.shape->proof && !json_find(&r->scratch->object, w.shape->proof))) {
        r->shape = 0;
        return NULL;
    }
    r->out->root = r->scratch->root;
    r->out->cloud_provider = slice_str(w.shape->provider);
    walk_object(&w, &r->scratch->object, slice_of(NULL, 0), 0);
    return w.payload;
}

static struct slice root_text(const struct record *r, const char *field)
{
    for (size_t i = 0; i < r->n_root; i++)
        if (slice_is(r->root[i].key, field))
            return r->root[i].value.bytes;
    return slice_of(NULL, 0);
}

/* "GET https://x.example/ 404" */
static void describe_request(struct reading *r)
{
    static const char *const fields[] = {"http.request.method", "url.original",
                                         "http.response.status_code"};
    struct buffer *text = &r->scratch->text;
    size_t from;

    if (!root_text(r->out, fields[0]).len || !json_reading_has_text_room(r) ||
        text->cap - text->len < r->line.len + 64)
        return;
    from = text->len;
    for (int i = 0; i < 3; i++) {
        struct slice part = root_text(r->out, fields[i]);

        if (part.len && text->len > from)
            buffer_add_char(text, ' ');
        buffer_add_slice(text, part);
    }
    r->out->message =
        (struct value){slice_of(text->ptr + from, text->len - from), VALUE_JSON_STRING};
}

/* What tells a line that has no message: its request, its error, its name (of a row of Azure's). */
static void describe(struct reading *r)
{
    struct record *out = r->out;
    const struct json_member *name = json_find(&r->scratch->object, "Name");

    describe_request(r);
    if (out->message.kind == VALUE_NONE)
        out->message = out->error_message;
    if (out->message.kind == VALUE_NONE && name && name->type == JSON_TYPE_STRING)
        out->message = (struct value){name->value, VALUE_JSON_STRING};
}

void json_shape_end(struct reading *r)
{
    if (r->out->message.kind == VALUE_NONE)
        describe(r);
    else
        trim_newline(&r->out->message);
}
