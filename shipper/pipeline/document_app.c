/* Where the application's own keys stand.
 *
 * Under `app` (or as the input's `namespace` has it), one field whatever its keys and types are:
 * `flattened` takes any key (empty, dots alone), but no term of more than 32766 bytes; OpenSearch's
 * flat_object refuses the whole document for one. What is too long for a term goes under
 * `app_long`, which is kept and not indexed. */
#include "shipper/pipeline/document_app.h"
#include "parsers/json_scan.h"

enum { LONGEST_TERM = 32000 }; /* of 32766, less what is put around it */

enum place { AT_ROOT, IN_APP, IN_APP_LONG, N_PLACES };

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

static void add_member(struct buffer *out, struct slice key, const struct value *v)
{
    buffer_add_char(out, '"');
    buffer_add_slice(out, key);
    buffer_add_lit(out, "\":");
    add_value(out, v);
}

/* ------------------------------------------------------------------ as they stand in the line */

/* Members side by side in the line, to be passed on with one copy. */
struct run {
    const char *from; /* the first key's quote; NULL: none */
    const char *to;   /* behind the last value */
};

/* What stands between two places, if they are near each other; of two texts they never are. */
static size_t gap_between(const char *end, const char *start)
{
    return (size_t)((uintptr_t)start - (uintptr_t)end);
}

/* Whether from a key's end to its value only the quotes and the colon stand, and perhaps a blank.
 */
static bool is_key_of(const char *key_end, const char *value, bool is_string)
{
    size_t gap = gap_between(key_end, value) - is_string;

    return (gap == 2 || (gap == 3 && key_end[2] == ' ')) && key_end[0] == '"' &&
           key_end[1] == ':' && (!is_string || value[-1] == '"');
}

/* The same from a member's end to the next key: a comma, perhaps a blank, and the quote. */
static bool is_next_key(const char *end, const char *key)
{
    size_t gap = gap_between(end, key);

    return (gap == 2 || (gap == 3 && end[1] == ' ')) && end[0] == ',' && key[-1] == '"';
}

/* Where a member ends that can be passed on as it stands, from its key's quote on; else NULL. */
static const char *verbatim_end(const struct field *f)
{
    bool is_string = f->value.kind == VALUE_JSON_STRING;

    if ((!is_string && f->value.kind != VALUE_JSON) ||
        !is_key_of(f->key.ptr + f->key.len, f->value.bytes.ptr, is_string))
        return NULL;
    return f->value.bytes.ptr + f->value.bytes.len + is_string;
}

/* True if the field stands right behind the run, which then has it. */
static bool run_takes(struct run *run, const struct field *f, const char *end)
{
    if (!run->from || !end || !is_next_key(run->to, f->key.ptr))
        return false;
    run->to = end;
    return true;
}

static void run_write(struct run *run, struct buffer *out)
{
    if (run->from)
        buffer_add(out, run->from, (size_t)(run->to - run->from));
    run->from = NULL;
}

static bool is_object(const struct value *v)
{
    return v->kind == VALUE_JSON && v->bytes.len && *v->bytes.ptr == '{';
}

/* ------------------------------------------------------------------ lines that are ECS */

/* Elasticsearch refuses these outside `app`: a name that is empty or blank between its dots, its
 * own metadata. A key with escapes is not looked into. */
static bool is_root_name(struct slice key)
{
    struct slice part;

    if (!key.len || *key.ptr == '_' || slice_find(key, slice_str("\\")) >= 0)
        return false;
    while (slice_cut(&key, '.', &part))
        if (!slice_trim(part).len)
            return false;
    return slice_trim(key).len > 0;
}

/* The objects of ECS (9.4), and ship's two: a scalar of that name at the root clashes with the
 * mapping. */
static bool is_object_name(struct slice key)
{
    static const char names[] =
        " agent app app_long as aws client cloud container data_stream destination device dll dns "
        "ecs email error event faas file group hash host http interface kubernetes labels log "
        "network observer orchestrator organization os package pe process registry related rule "
        "server service source span threat tls trace transaction url user user_agent vlan "
        "vulnerability x509 ";
    ptrdiff_t at;

    if (memchr(key.ptr, '.', key.len)) /* as most keys of ECS have it, and none of these */
        return false;
    at = slice_find(slice_of(names, sizeof names - 1), key);
    return at > 0 && names[at - 1] == ' ' && names[(size_t)at + key.len] == ' ';
}

/* ECS wants labels without objects in them, and so does their mapping. */
static bool is_flat(struct slice object)
{
    return !memchr(object.ptr + 1, '{', object.len - 1) && !memchr(object.ptr, '[', object.len);
}

/* Whether a key in it, at any depth, is written with escapes: \u0061 may stand for any letter. */
static bool has_escaped_key(struct slice object)
{
    const char *p = object.ptr;
    const char *end = object.ptr + object.len;

    if (!memchr(p, '\\', object.len))
        return false;
    while ((p = memchr(p, '"', (size_t)(end - p)))) {
        size_t len = json_string_len(slice_of(p, (size_t)(end - p)));
        bool is_escaped = memchr(p, '\\', len);

        p += len;
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
            p++;
        if (is_escaped && p < end && *p == ':')
            return true;
    }
    return false;
}

/* Whether a text that begins with `name`, or a value that looks like one, stands in the object: the
 * whole of it, or up to a dot ("b.c"). */
static bool has_name(struct slice object, struct slice name)
{
    for (ptrdiff_t at; (at = slice_find(object, name)) >= 0;) {
        const char *end = object.ptr + at + name.len;
        const char *start = object.ptr + at;

        if (start > object.ptr && start[-1] == '"' && (*end == '"' || *end == '.'))
            return true;
        object = slice_from(object, (size_t)at + 1);
    }
    return false;
}

/* What "b" is to the object under "a", in doubt true: whether it says `path` ("a.b"). */
static bool object_says(const struct field *f, struct slice path)
{
    struct slice rest;
    struct slice next;

    if (!slice_starts(path, f->key) || path.len == f->key.len || path.ptr[f->key.len] != '.')
        return false;
    rest = slice_from(path, f->key.len + 1);
    if (!slice_cut(&rest, '.', &next))
        next = rest;
    return has_name(f->value.bytes, next) || has_escaped_key(f->value.bytes);
}

/* Whether the field says `path`, by its key or by its value. */
static bool says(const struct field *f, struct slice path)
{
    return slice_eq(f->key, path) || (is_object(&f->value) && object_says(f, path));
}

/* The keys that ship may have written into the document of a function's own line. */
static bool is_own_key(const struct field *f)
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
        SLICE_LIT("event.id"),         SLICE_LIT("labels.request_id_source"),
        SLICE_LIT("labels.init_id"),   SLICE_LIT("labels.correlation_id"),
        SLICE_LIT("cloud.provider"),   SLICE_LIT("cloud.region"),
        SLICE_LIT("cloud.account.id"), SLICE_LIT("event.original"),
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (says(f, names[i]))
            return true;
    return false;
}

static bool may_stand_at_root(const struct field *f)
{
    if (f->value.kind == VALUE_TEXT || !is_root_name(f->key) || is_own_key(f))
        return false;
    if (slice_is(f->key, "labels") && is_object(&f->value))
        return is_flat(f->value.bytes);
    return is_object(&f->value) || !is_object_name(f->key);
}

static bool line_says(const struct record *r, struct slice path)
{
    for (size_t i = 0; i < r->n_fields; i++)
        if (says(&r->fields[i], path) && may_stand_at_root(&r->fields[i]))
            return true;
    return false;
}

/* Cuts the first off *members, which are ,"key":"value",... of our own making. False at the end. */
static bool next_static(struct slice *members, struct slice *key, struct slice *member)
{
    struct slice rest = slice_from(*members, members->len > 2 ? 2 : members->len);
    size_t len;

    if (!slice_cut(&rest, '"', key))
        return false;
    len = key->len + 4; /* up to the colon */
    len += json_string_len(slice_from(*members, len));
    *member = slice_of(members->ptr, len);
    *members = slice_from(*members, len);
    return true;
}

/* Labels that are configured are no matter of the line's: who may see what can hang on them. */
static bool is_label(struct slice key)
{
    return slice_starts(key, slice_str("labels."));
}

void document_add_static(const struct record *r, struct slice members, struct buffer *out)
{
    struct slice key;
    struct slice member;

    if (!r->is_ecs) {
        buffer_add_slice(out, members);
        return;
    }
    while (next_static(&members, &key, &member))
        if (is_label(key) || !line_says(r, key))
            buffer_add_slice(out, member);
}

static bool says_configured_label(const struct field *f, struct slice members)
{
    struct slice key;
    struct slice member;

    if (!slice_starts(f->key, slice_str("labels")))
        return false;
    while (next_static(&members, &key, &member))
        if (is_label(key) && says(f, key))
            return true;
    return false;
}

/* ------------------------------------------------------------------ all lines */

static bool is_too_long(const struct field *f)
{
    const struct value *v = &f->value;
    size_t len = v->bytes.len;

    if (f->key.len + len < LONGEST_TERM)
        return false;
    if (v->kind == VALUE_JSON)
        len = json_longest_term(v->bytes);
    return f->key.len + len >= LONGEST_TERM;
}

static struct slice namespace_of(const struct stream_profile *s)
{
    return s->namespace.len ? s->namespace : slice_str("app");
}

/* Keys that mean something else at the root of this stream's documents: the namespace, configured
 * labels, and what other keys are lifted to. */
static bool is_reserved(const struct field *f, const struct stream_profile *s)
{
    struct slice space = namespace_of(s);

    if (slice_starts(f->key, space) && (f->key.len == space.len || f->key.ptr[space.len] == '.' ||
                                        slice_is(slice_from(f->key, space.len), "_long")))
        return true;
    for (size_t i = 0; i < s->n_lifts; i++)
        if (says(f, slice_str(s->lift_names[i])))
            return true;
    return says_configured_label(f, s->static_json);
}

/* *name: what it is called there. */
static enum place place_of(const struct record *r, const struct stream_profile *s,
                           const struct field *f, struct slice *name)
{
    *name = f->key;
    for (size_t i = 0; i < s->n_lifts; i++)
        if (slice_is(f->key, s->lift_keys[i])) {
            *name = slice_str(s->lift_names[i]);
            return AT_ROOT;
        }
    if (r->is_ecs && may_stand_at_root(f) && !is_reserved(f, s))
        return AT_ROOT;
    return is_too_long(f) ? IN_APP_LONG : IN_APP;
}

static void open_object(const struct stream_profile *s, enum place place, struct buffer *out)
{
    buffer_add_lit(out, ",\"");
    buffer_add_slice(out, namespace_of(s));
    if (place == IN_APP_LONG)
        buffer_add_lit(out, "_long");
    buffer_add_lit(out, "\":{");
}

/* Where each field goes, said once; those behind the first PLACED_MAX are looked at again. */
enum { PLACED_MAX = 64 };

struct placing {
    const struct record *r;
    const struct stream_profile *s;
    bool has[N_PLACES];
    uint8_t places[PLACED_MAX];
};

static void place_fields(struct placing *p, const struct record *r, const struct stream_profile *s)
{
    p->r = r;
    p->s = s;
    memset(p->has, false, sizeof p->has);
    for (size_t i = 0; i < r->n_fields; i++) {
        struct slice name;
        enum place place = place_of(r, s, &r->fields[i], &name);

        p->has[place] = true;
        if (i < PLACED_MAX)
            p->places[i] = (uint8_t)place;
    }
}

static bool is_placed(const struct placing *p, size_t i, enum place place, struct slice *name)
{
    *name = p->r->fields[i].key;
    if (i < PLACED_MAX && (p->places[i] != place || !p->s->n_lifts))
        return p->places[i] == place;
    return place_of(p->r, p->s, &p->r->fields[i], name) == place;
}

/* The fields of that place: at the root as members, else as one object. */
static void add_fields_of(const struct placing *p, enum place place, struct buffer *out)
{
    const struct record *r = p->r;
    bool is_first = true;
    struct run run = {0};

    for (size_t i = 0; i < r->n_fields; i++) {
        const struct field *f = &r->fields[i];
        struct slice name;
        const char *end;

        if (!is_placed(p, i, place, &name))
            continue;
        end = name.ptr == f->key.ptr ? verbatim_end(f) : NULL;
        if (run_takes(&run, f, end))
            continue;
        run_write(&run, out);
        if (is_first && place != AT_ROOT)
            open_object(p->s, place, out);
        else
            buffer_add_char(out, ',');
        is_first = false;
        if (end)
            run = (struct run){f->key.ptr - 1, end};
        else
            add_member(out, name, &f->value);
    }
    run_write(&run, out);
    if (place != AT_ROOT && !is_first)
        buffer_add_char(out, '}');
}

void document_add_fields(const struct record *r, const struct stream_profile *s, struct buffer *out)
{
    struct placing p;

    place_fields(&p, r, s);
    for (int place = AT_ROOT; place < N_PLACES; place++)
        if (p.has[place])
            add_fields_of(&p, (enum place)place, out);
}

/* ------------------------------------------------------------------ fields of ECS */

/* Whether one of two dotted names is the other, or an object around it. */
static bool is_within(struct slice a, struct slice b)
{
    struct slice outer = a.len < b.len ? a : b;
    struct slice inner = a.len < b.len ? b : a;

    return slice_starts(inner, outer) && (inner.len == outer.len || inner.ptr[outer.len] == '.');
}

void document_add_root(const struct record *r, const struct stream_profile *s, struct buffer *out)
{
    for (size_t i = 0; i < r->n_root; i++) {
        const struct field *f = &r->root[i];
        bool is_lifted = false;

        for (size_t l = 0; l < s->n_lifts; l++)
            is_lifted |= is_within(slice_str(s->lift_names[l]), f->key);
        if (is_lifted)
            continue;
        buffer_add_char(out, ',');
        add_member(out, f->key, &f->value);
    }
}

/* ------------------------------------------------------------------ names in a configuration */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* What only platform lines and summaries have, or every event of a stream. */
static bool is_written_at_times(struct slice name)
{
    static const char names[] =
        " ecs.version host.name event.kind event.dataset event.action event.duration event.outcome "
        "event.start event.end labels.status labels.outcome labels.runtime_version "
        "labels.initialization_type ";
    ptrdiff_t at = slice_find(slice_of(names, sizeof names - 1), name);

    return (at > 0 && names[at - 1] == ' ' && names[(size_t)at + name.len] == ' ') ||
           slice_starts(name, slice_str("aws.lambda.")) ||
           slice_starts(name, slice_str("faas.invocation."));
}

bool document_name_is_free(struct slice name)
{
    struct field as_if = {.key = name};

    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.ptr[i]))
            return false;
    return is_root_name(name) && !is_own_key(&as_if) && !is_written_at_times(name) &&
           (slice_is(name, "app") || !is_object_name(name));
}
