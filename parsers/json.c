#include <string.h>

#include "parsers/json.h"
#include "parsers/json_names.h"
#include "parsers/json_reading.h"
#include "parsers/json_shapes.h"
#include "parsers/json_take.h"
#include "parsers/lambda.h"

enum {
    MOST_LEFT = 16,      /* members that one of them may leave over and still be taken apart */
    MOST_MEMBERS = 256,  /* of a line in which that is done */
    RANK_OF_MESSAGE = 5, /* an error inside the message counts less than one beside it */
    RANK_WITHOUT_UUID = 64,
};

/* How many fields a line can become: its members, what groups leave over, an outer tenantId. */
static size_t most_fields(const struct json_object *o)
{
    return o->n_members + 2 * READING_MOST_GROUPS * MOST_LEFT + 1;
}

/* ------------------------------------------------------------------ filling slots */

static unsigned rank_of(const struct json_name *name, const struct json_member *m)
{
    if (name->slot != JSON_SLOT_REQUEST_ID)
        return name->rank;
    /* Many applications have a requestId of their own: what looks like Lambda's goes first. Then
     * the order of aws.md 1.4, where awsRequestId stands behind function_request_id. */
    return name->rank + (name->rank == 1 && m->key.ptr[0] == 'a' ? 2u : 0u) +
           (lambda_is_request_id(m->value) ? 0u : RANK_WITHOUT_UUID);
}

/* "event" is structlog's message, and elsewhere the whole event of the invocation. */
static bool may_fill(const struct json_name *name, const struct json_member *m)
{
    return name->slot != JSON_SLOT_MESSAGE || name->rank < 2 || m->type == JSON_TYPE_STRING;
}

/* Puts the value into its slot unless a better one is there. */
static bool offer(struct reading *r, const struct json_name *name, const struct json_member *m)
{
    unsigned rank = rank_of(name, m);

    if (rank >= r->rank[name->slot] || !may_fill(name, m) ||
        !json_take(name->slot, m, r->scratch, r->out))
        return false;
    if (r->owner[name->slot])
        r->owner[name->slot]->is_taken = false;
    r->owner[name->slot] = NULL;
    r->rank[name->slot] = (uint8_t)rank;
    return true;
}

static void note_group(struct reading *r, enum json_group group, struct json_member *m)
{
    if (group >= JSON_GROUP_GOOGLE)
        r->shape = (uint8_t)(r->shape && r->shape < group ? r->shape : group);
    else if (m->type == JSON_TYPE_OBJECT && !m->is_unsafe && r->n_groups < READING_MOST_GROUPS)
        r->groups[r->n_groups++] = (struct group_seen){group, m};
}

/* "ecs.version":"1.2.0" or "ecs":{"version":"1.2.0"} */
static bool is_ecs_mark(const struct json_member *m)
{
    if (m->key.len == 11)
        return memcmp(m->key.ptr, "ecs.version", 11) == 0;
    return m->key.len == 3 && m->type == JSON_TYPE_OBJECT && memcmp(m->key.ptr, "ecs", 3) == 0 &&
           slice_find(m->value, slice_str("\"version\"")) >= 0;
}

static void read_members(struct reading *r)
{
    struct json_object *o = &r->scratch->object;

    for (size_t i = 0; i < o->n_members; i++) {
        struct json_member *m = &o->members[i];
        const struct json_name *name;

        if (m->is_shadowed || m->key_escaped)
            continue;
        r->out->is_ecs |= is_ecs_mark(m);
        name = i < JSON_NAME_MEMOS ? json_name_recall(&r->scratch->memos[i], m->key)
                                   : json_name_find(m->key);
        if (!name)
            continue;
        if (name->group)
            note_group(r, name->group, m);
        if (name->slot && offer(r, name, m)) {
            r->owner[name->slot] = m;
            m->is_taken = true;
        }
    }
}

/* ------------------------------------------------------------------ a line inside the line */

bool json_reading_has_text_room(struct reading *r)
{
    if (!r->has_text_room)
        r->has_text_room = buffer_reserve(&r->scratch->text, 6 * r->line.len + 4096);
    return r->has_text_room;
}

/* Only what Lambda's node.js runtime writes around a text: timestamp, level, requestId, tenantId.
 */
static bool is_envelope(const struct reading *r, const struct json_member *message,
                        const struct json_member **tenant)
{
    const struct json_object *o = &r->scratch->object;

    *tenant = NULL;
    if (!message->value_escaped || !slice_starts(message->value, slice_str("{")) ||
        !slice_ends(message->value, slice_str("}")) || !r->owner[JSON_SLOT_REQUEST_ID] ||
        !r->owner[JSON_SLOT_TIME] || o->n_members > 5)
        return false;
    for (size_t i = 0; i < o->n_members; i++) {
        const struct json_member *m = &o->members[i];

        if (slice_is(m->key, "tenantId"))
            *tenant = m;
        else if (!m->is_taken)
            return false;
    }
    return true;
}

/* What the text says for itself counts more than what the runtime put around it, but for the
 * request: the runtime knows that best. */
static void reopen_slots(struct reading *r)
{
    static const enum json_slot superseded[] = {JSON_SLOT_TIME, JSON_SLOT_LEVEL, JSON_SLOT_MESSAGE};

    memset(r->owner, 0, sizeof r->owner);
    r->n_groups = 0;
    r->rank[JSON_SLOT_REQUEST_ID] = 0;
    for (size_t i = 0; i < sizeof superseded / sizeof superseded[0]; i++)
        if (r->rank[superseded[i]] != READING_RANK_NONE)
            r->rank[superseded[i]] = READING_RANK_NONE - 1;
}

/* console.log(JSON.stringify(line)) under Lambda's JSON format: the line stands, escaped, in the
 * message (aws.md 1.4). It is decoded once, and scratch->object is then the inner line. */
static void unwrap(struct reading *r)
{
    struct parse_scratch *scratch = r->scratch;
    const struct json_member *message = r->owner[JSON_SLOT_MESSAGE];
    const struct json_member *tenant;
    struct json_object outer;
    size_t start;

    if (!message || !is_envelope(r, message, &tenant) || !json_reading_has_text_room(r))
        return;
    start = scratch->text.len;
    json_unescape(message->value, &scratch->text);
    if (json_scan(slice_from(buffer_slice(&scratch->text), start), &scratch->nested) != JSON_OK ||
        (tenant && json_find(&scratch->nested, "tenantId")) ||
        !parse_scratch_fields(scratch, most_fields(&scratch->nested)))
        return;
    if (tenant)
        scratch->fields[r->n_left++] = (struct field){tenant->key, json_member_value(tenant)};
    outer = scratch->object;
    scratch->object = scratch->nested;
    scratch->nested = outer;
    reopen_slots(r);
    read_members(r);
}

/* ------------------------------------------------------------------ objects with known members */

static struct slice joined_key(struct reading *r, const char *prefix, struct slice key)
{
    struct buffer *text = &r->scratch->text;
    size_t start = text->len;

    buffer_add(text, prefix, strlen(prefix));
    buffer_add_slice(text, key);
    return slice_of(text->ptr + start, text->len - start);
}

/* In doubt true: keys with escapes are not read, nor are very many. */
static bool may_have_key(const struct json_object *o, struct slice key)
{
    if (o->n_members > MOST_MEMBERS)
        return true;
    for (size_t i = 0; i < o->n_members; i++)
        if (o->members[i].key_escaped || slice_eq(o->members[i].key, key))
            return true;
    return false;
}

static bool has_left(const struct reading *r, struct slice key)
{
    for (size_t i = 0; i < r->n_left; i++)
        if (slice_eq(r->scratch->fields[i].key, key))
            return true;
    return false;
}

/* What a group leaves over goes on as dotted keys: "error":{"code":7} as "error.code":7, which is
 * the same to every reader. */
bool json_reading_leave_rest(struct reading *r, const char *prefix)
{
    const struct json_object *o = &r->scratch->nested;
    size_t n_before = r->n_left;

    for (size_t i = 0; i < o->n_members; i++) {
        const struct json_member *m = &o->members[i];
        struct slice key;

        if (m->is_taken || m->is_shadowed)
            continue;
        key = joined_key(r, prefix, m->key);
        if (r->n_left == n_before + MOST_LEFT || m->key_escaped || has_left(r, key) ||
            may_have_key(&r->scratch->object, key)) {
            r->n_left = n_before;
            return false;
        }
        r->scratch->fields[r->n_left++] = (struct field){key, json_member_value(m)};
    }
    return true;
}

static void read_group(struct reading *r, const struct group_seen *seen)
{
    const struct json_group_rule *rule = json_group_rule(seen->group);
    struct json_object *o = &r->scratch->nested;
    bool is_any_taken = false;

    if ((rule->is_ecs_only && !r->out->is_ecs) || seen->member->is_taken ||
        json_scan(seen->member->value, o) != JSON_OK)
        return;
    for (size_t i = 0; i < o->n_members; i++) {
        struct json_member *m = &o->members[i];
        const struct json_name *name = json_name_find_in(seen->group, m->key);

        if (!name || !name->slot || m->key_escaped || !offer(r, name, m))
            continue;
        m->is_taken = true;
        is_any_taken = true;
        if (!rule->is_kept)
            r->rank[name->slot] = 0; /* the object is given up: so must not be its value */
    }
    if (is_any_taken && !rule->is_kept && json_reading_has_text_room(r))
        seen->member->is_taken = json_reading_leave_rest(r, rule->prefix);
}

/* console.log(error) under Lambda's JSON format: "message":{"errorType":..,"stackTrace":[..]} */
static void read_message(struct reading *r)
{
    const struct json_member *message = r->owner[JSON_SLOT_MESSAGE];
    struct json_object *o = &r->scratch->nested;

    if (!message || message->type != JSON_TYPE_OBJECT || json_scan(message->value, o) != JSON_OK)
        return;
    for (size_t i = 0; i < o->n_members; i++) {
        const struct json_member *m = &o->members[i];
        const struct json_name *found =
            m->is_shadowed || m->key_escaped ? NULL : json_name_find(m->key);
        struct json_name name;

        if (!found || found->slot < JSON_SLOT_ERROR_TYPE)
            continue;
        name = *found;
        name.rank += RANK_OF_MESSAGE;
        offer(r, &name, m);
    }
}

/* ------------------------------------------------------------------ the application's own keys */

/* A key with \u0000 is refused by `flattened`: NUL becomes U+FFFD. */
static struct slice safe_key(struct reading *r, const struct json_member *m)
{
    struct buffer *text = &r->scratch->text;
    struct slice nul = slice_str("\\u0000");
    size_t start;
    struct slice rest = m->key;

    if (!m->key_escaped || slice_find(rest, nul) < 0 || !json_reading_has_text_room(r))
        return m->key;
    start = text->len;
    while (rest.len) {
        /* Escapes are stepped over as a whole: "\\u0000" is a backslash and letters. */
        bool is_nul = slice_starts(rest, nul);
        size_t len = is_nul ? nul.len : *rest.ptr == '\\' && rest.len > 1 ? 2 : 1;

        if (is_nul)
            buffer_add_lit(text, "\xEF\xBF\xBD");
        else
            buffer_add(text, rest.ptr, len);
        rest = slice_from(rest, len);
    }
    return slice_of(text->ptr + start, text->len - start);
}

static void add_fields(struct reading *r)
{
    const struct json_object *o = &r->scratch->object;
    struct field *fields = r->scratch->fields;
    size_t n = r->n_left;

    for (size_t i = 0; i < o->n_members; i++) {
        const struct json_member *m = &o->members[i];

        if (!m->is_shadowed && !m->is_taken)
            fields[n++] = (struct field){safe_key(r, m), json_member_value(m)};
    }
    r->out->fields = fields;
    r->out->n_fields = n;
}

/* ------------------------------------------------------------------ the line */

static bool is_platform_event(const struct json_object *o)
{
    const struct json_member *type;

    if (o->n_members > READING_MOST_GROUPS)
        return false;
    type = json_find(o, "type");
    return type && type->type == JSON_TYPE_STRING &&
           slice_starts(type->value, slice_str("platform.")) && json_find(o, "record");
}

/* Go's templates write an apostrophe as \', which JSON does not know (Knative's request log). */
static void repair_apostrophes(struct slice line, struct buffer *out)
{
    for (size_t i = 0; i < line.len; i++) {
        bool is_escape = line.ptr[i] == '\\' && i + 1 < line.len;

        if (is_escape && line.ptr[i + 1] != '\'')
            buffer_add_char(out, line.ptr[i]);
        i += is_escape;
        buffer_add_char(out, line.ptr[i]);
    }
}

static bool scan(struct slice *line, struct parse_scratch *scratch, struct record *out)
{
    enum json_status status = json_scan(*line, &scratch->object);
    bool is_go = status == JSON_INVALID && slice_find(*line, slice_str("\\'")) >= 0;

    if (status != JSON_BAD_ENCODING && !is_go)
        return status == JSON_OK;
    scratch->repaired.len = 0;
    if (is_go)
        repair_apostrophes(*line, &scratch->repaired);
    else
        json_repair(*line, &scratch->repaired);
    if (scratch->repaired.failed)
        return false;
    *line = buffer_slice(&scratch->repaired);
    out->flags |= RECORD_REPAIRED;
    return json_scan(*line, &scratch->object) == JSON_OK;
}

/* Google's jsonPayload is the line that the program wrote: its keys are the application's, beside
 * those of the entry around it. False, and nothing done, if it cannot be read. */
static bool enter_payload(struct reading *r, const struct json_member *payload)
{
    struct parse_scratch *scratch = r->scratch;
    struct json_object entry = scratch->object;
    bool says_level = r->out->level != LEVEL_NONE;

    if (json_scan(payload->value, &scratch->nested) != JSON_OK || !json_reading_has_text_room(r) ||
        !parse_scratch_fields(scratch, entry.n_members + most_fields(&scratch->nested)))
        return false;
    for (size_t i = 0; i < entry.n_members; i++) {
        const struct json_member *m = &entry.members[i];

        bool is_both = may_have_key(&scratch->nested, m->key);

        if (!m->is_shadowed && !m->is_taken && !m->key_escaped)
            scratch->fields[r->n_left++] = (struct field){
                is_both ? joined_key(r, "entry.", m->key) : m->key, json_member_value(m)};
    }
    scratch->object = scratch->nested;
    scratch->nested = entry;
    memset(r->owner, 0, sizeof r->owner);
    r->n_groups = 0;
    r->rank[JSON_SLOT_TIME] = 0;
    r->rank[JSON_SLOT_LEVEL] = says_level ? 0 : READING_RANK_NONE;
    read_members(r);
    return true;
}

static void read_shape(struct reading *r)
{
    struct json_member *payload = json_shape_read(r);

    if (payload && !enter_payload(r, payload))
        payload->is_taken = false;
}

/* What Python's runtime writes of an error that ended the invocation (aws.md 1.4): "log_level" in
 * the place of "level", and no message. That it ended there is for platform.report to say. */
static void tell_thrown(struct reading *r)
{
    struct record *out = r->out;
    const struct json_member *level = r->owner[JSON_SLOT_LEVEL];

    if (!level || !slice_is(level->key, "log_level") || !out->request_id.len ||
        out->error_type.kind == VALUE_NONE || out->error_message.kind == VALUE_NONE ||
        out->error_stack.kind == VALUE_NONE)
        return;
    out->message = out->error_message;
}

static void read_line(struct reading *r, bool knows_request)
{
    memset(r->rank, READING_RANK_NONE, sizeof r->rank);
    if (knows_request)
        r->rank[JSON_SLOT_REQUEST_ID] = 0;
    read_members(r);
    unwrap(r);
    if (r->shape)
        read_shape(r);
    for (size_t i = 0; i < r->n_groups; i++)
        read_group(r, &r->groups[i]);
    read_message(r);
    if (r->shape)
        json_shape_end(r);
    else if (r->out->message.kind == VALUE_NONE)
        tell_thrown(r);
    add_fields(r);
}

static bool parse(struct slice line, struct parse_scratch *scratch, struct record *out,
                  bool is_within)
{
    struct reading r = {.scratch = scratch, .out = out};

    if (!scan(&line, scratch, out)) {
        record_reset(out);
        return false;
    }
    if (!is_within && is_platform_event(&scratch->object) &&
        lambda_platform_json_parse(&scratch->object, scratch, out))
        return true;
    if (!parse_scratch_fields(scratch, most_fields(&scratch->object))) {
        record_reset(out);
        return false;
    }
    r.line = line;
    read_line(&r, is_within);
    return true;
}

bool json_record_parse(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    return parse(line, scratch, out, false);
}

bool json_record_parse_within(struct slice text, struct parse_scratch *scratch, struct record *out)
{
    record_reset(out);
    return parse(text, scratch, out, true);
}

static bool json_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                       struct record *out)
{
    (void)self;
    return json_record_parse(line, scratch, out);
}

const struct parser_ops parser_json = {
    .name = "json",
    .help = "one JSON object a line (Lambda JSON logging, Powertools, ECS, any logger)",
    .parse = json_parse,
};
