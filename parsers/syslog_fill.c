/* What a syslog line's head says, as fields. */
#include "parsers/fill.h"
#include "parsers/json_scan.h"
#include "parsers/regex_fill.h"
#include "parsers/syslog.h"

enum {
    MOST_DATA = 8192, /* bytes of structured data that become one field */
    MOST_PARAMS = 256,
};

static const struct ecs_field priority_field = {SLICE_LIT("log.syslog.priority"), ECS_LONG};
static const struct ecs_field facility_code = {SLICE_LIT("log.syslog.facility.code"), ECS_LONG};
static const struct ecs_field facility_name = {SLICE_LIT("log.syslog.facility.name"), ECS_KEYWORD};
static const struct ecs_field severity_code = {SLICE_LIT("log.syslog.severity.code"), ECS_LONG};
static const struct ecs_field severity_name = {SLICE_LIT("log.syslog.severity.name"), ECS_KEYWORD};
static const struct ecs_field version_field = {SLICE_LIT("log.syslog.version"), ECS_KEYWORD};
static const struct ecs_field hostname_field = {SLICE_LIT("log.syslog.hostname"), ECS_KEYWORD};
static const struct ecs_field appname_field = {SLICE_LIT("log.syslog.appname"), ECS_KEYWORD};
static const struct ecs_field procid_field = {SLICE_LIT("log.syslog.procid"), ECS_KEYWORD};
static const struct ecs_field msgid_field = {SLICE_LIT("log.syslog.msgid"), ECS_KEYWORD};
static const struct ecs_field data_field = {SLICE_LIT("log.syslog.structured_data"), ECS_OBJECT};

/* ------------------------------------------------------------------ priority */

static void fill_priority(int priority, struct parse_scratch *scratch, struct record *out)
{
    static const struct slice facilities[] = {
        SLICE_LIT("kern"),         SLICE_LIT("user"),     SLICE_LIT("mail"),
        SLICE_LIT("daemon"),       SLICE_LIT("auth"),     SLICE_LIT("syslog"),
        SLICE_LIT("lpr"),          SLICE_LIT("news"),     SLICE_LIT("uucp"),
        SLICE_LIT("cron"),         SLICE_LIT("authpriv"), SLICE_LIT("ftp"),
        SLICE_LIT("ntp"),          SLICE_LIT("security"), SLICE_LIT("console"),
        SLICE_LIT("solaris-cron"), SLICE_LIT("local0"),   SLICE_LIT("local1"),
        SLICE_LIT("local2"),       SLICE_LIT("local3"),   SLICE_LIT("local4"),
        SLICE_LIT("local5"),       SLICE_LIT("local6"),   SLICE_LIT("local7"),
    };
    static const struct {
        struct slice name;
        enum level level;
    } severities[] = {
        {SLICE_LIT("emergency"), LEVEL_FATAL},    {SLICE_LIT("alert"), LEVEL_FATAL},
        {SLICE_LIT("critical"), LEVEL_FATAL},     {SLICE_LIT("error"), LEVEL_ERROR},
        {SLICE_LIT("warning"), LEVEL_WARN},       {SLICE_LIT("notice"), LEVEL_INFO},
        {SLICE_LIT("informational"), LEVEL_INFO}, {SLICE_LIT("debug"), LEVEL_DEBUG},
    };
    struct buffer *text = &scratch->text;
    size_t at[4] = {text->len};
    const struct ecs_field *const fields[] = {&priority_field, &facility_code, &severity_code};
    const int numbers[] = {priority, priority / 8, priority % 8};

    for (int i = 0; i < 3; i++) {
        buffer_add_int(text, numbers[i]);
        at[i + 1] = text->len;
        fill_root(out, scratch, fields[i], slice_of(text->ptr + at[i], at[i + 1] - at[i]));
    }
    fill_root(out, scratch, &facility_name, facilities[priority / 8]);
    fill_root(out, scratch, &severity_name, severities[priority % 8].name);
    out->level = severities[priority % 8].level;
}

/* ------------------------------------------------------------------ structured data */

struct param {
    struct slice name;
    struct slice value; /* \", \\ and \] are escaped in it */
};

/* Cuts one off, of data that syslog_cut has checked. */
static void cut_param(struct slice *rest, struct param *out)
{
    size_t n = 0;

    slice_cut(rest, '=', &out->name);
    *rest = slice_from(*rest, 1);
    while (rest->ptr[n] != '"')
        n += rest->ptr[n] == '\\' ? 2 : 1;
    out->value = slice_of(rest->ptr, n);
    *rest = slice_from(*rest, n + 1);
}

/* "[id a="b"]": its name and its parameters. False: they are too many. */
static bool cut_element(struct slice *rest, struct slice *id, struct param *params, size_t *n)
{
    size_t len = 1;

    while (rest->ptr[len] != ' ' && rest->ptr[len] != ']')
        len++;
    *id = slice_of(rest->ptr + 1, len - 1);
    *rest = slice_from(*rest, len);
    for (*n = 0; *rest->ptr == ' '; (*n)++) {
        if (*n == MOST_PARAMS)
            return false;
        *rest = slice_from(*rest, 1);
        cut_param(rest, &params[*n]);
    }
    *rest = slice_from(*rest, 1);
    return true;
}

static void add_string(struct buffer *out, struct slice value)
{
    struct slice plain;

    buffer_add_char(out, '"');
    while (slice_cut(&value, '\\', &plain)) {
        json_escape(plain, out);
        if (!value.len || !strchr("\"\\]", *value.ptr)) {
            buffer_add_lit(out, "\\\\");
        } else {
            json_escape(slice_of(value.ptr, 1), out);
            value = slice_from(value, 1);
        }
    }
    json_escape(value, out);
    buffer_add_char(out, '"');
}

static bool is_before(const struct param *params, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(params[i].name, name))
            return true;
    return false;
}

/* A name may come several times (RFC 5424, 6.3.3): the values are a list then. */
static void add_param(struct buffer *out, const struct param *params, size_t i, size_t n)
{
    bool is_list = is_before(params + i + 1, n - i - 1, params[i].name);

    add_string(out, params[i].name);
    buffer_add_slice(out, slice_str(is_list ? ":[" : ":"));
    add_string(out, params[i].value);
    for (size_t j = i + 1; is_list && j < n; j++)
        if (slice_eq(params[j].name, params[i].name)) {
            buffer_add_char(out, ',');
            add_string(out, params[j].value);
        }
    if (is_list)
        buffer_add_char(out, ']');
}

static void add_element(struct buffer *out, struct slice id, const struct param *params, size_t n)
{
    bool is_first = true;

    add_string(out, id);
    buffer_add_lit(out, ":{");
    for (size_t i = 0; i < n; i++) {
        if (is_before(params, i, params[i].name))
            continue;
        if (!is_first)
            buffer_add_char(out, ',');
        is_first = false;
        add_param(out, params, i, n);
    }
    buffer_add_char(out, '}');
}

/* Ids among the parameters are the record's. */
static void take_ids(const struct param *params, size_t n, struct record *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct json_name *known = json_name_find(params[i].name);
        enum json_slot slot = known ? (enum json_slot)known->slot : JSON_SLOT_NONE;

        if (slot == JSON_SLOT_REQUEST_ID || slot == JSON_SLOT_TRACE || slot == JSON_SLOT_SPAN)
            regex_fill(slot, NULL, params[i].value, out);
    }
}

/* {"id":{"name":"value"}}, appended. False: it cannot be one object. */
static bool add_data(struct slice data, struct buffer *text, struct record *out)
{
    struct slice ids[16];
    struct param params[MOST_PARAMS];
    size_t n_ids = 0;

    buffer_add_char(text, '{');
    while (data.len) {
        struct slice id;
        size_t n;

        if (n_ids == sizeof ids / sizeof ids[0] || !cut_element(&data, &id, params, &n))
            return false;
        for (size_t i = 0; i < n_ids; i++)
            if (slice_eq(ids[i], id))
                return false;
        ids[n_ids++] = id;
        if (n_ids > 1)
            buffer_add_char(text, ',');
        add_element(text, id, params, n);
        take_ids(params, n, out);
    }
    buffer_add_char(text, '}');
    return true;
}

static bool fill_data(struct slice data, struct parse_scratch *scratch, struct record *out)
{
    struct buffer *text = &scratch->text;
    size_t from = text->len;
    struct filling f;

    if (data.len <= MOST_DATA && add_data(data, text, out)) {
        struct value object = {slice_from(buffer_slice(text), from), VALUE_JSON};

        return fill_root_value(out, scratch, &data_field, object);
    }
    if (!fill_start(&f, scratch, out, 1))
        return false;
    fill_own(&f, slice_str("structured_data"), value_text(data));
    return true;
}

/* ------------------------------------------------------------------ the record */

bool syslog_fill(const struct syslog_head *head, struct parse_scratch *scratch, struct record *out)
{
    /* Numbers, and what a byte of structured data may become. */
    size_t room = 64 + 6 * (head->data.len <= MOST_DATA ? head->data.len : 0);

    if (!buffer_reserve(&scratch->text, room) ||
        (head->time.len && !parse_take_usual_time(&scratch->times, head->time, out)))
        return false;
    if (head->priority >= 0)
        fill_priority(head->priority, scratch, out);
    if (head->is_logplex)
        out->level = LEVEL_NONE;
    fill_root(out, scratch, &version_field, head->version);
    fill_root(out, scratch, &hostname_field, head->hostname);
    fill_root(out, scratch, &appname_field, head->appname);
    fill_root(out, scratch, &procid_field, head->procid);
    fill_root(out, scratch, &msgid_field, head->msgid);
    return !head->data.len || fill_data(head->data, scratch, out);
}

static bool syslog_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                         struct record *out)
{
    struct syslog_head head;

    (void)self;
    if (!syslog_cut(line, &head) || !syslog_fill(&head, scratch, out))
        return false;
    out->message = value_text(head.message);
    return true;
}

const struct parser_ops parser_syslog = {
    .name = "syslog",
    .help = "RFC 5424 with structured data, RFC 3164, and what stands in /var/log",
    .parse = syslog_parse,
    .has_own_format = true,
    .is_after_platform = true,
};
