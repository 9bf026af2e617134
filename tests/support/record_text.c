#include "tests/support/record_text.h"

#include <criterion/criterion.h>
#include <math.h>

#include "parsers/level.h"

static void say(struct buffer *b, const char *name, struct slice bytes)
{
    buffer_printf(b, "%s%s=", b->len ? " " : "", name);
    buffer_add_slice(b, bytes);
}

static void say_value(struct buffer *b, const char *name, struct value v)
{
    static const char *const quotes[] = {"", "\"", "'", ""};

    if (v.kind == VALUE_NONE)
        return;
    buffer_printf(b, "%s%s=%s", b->len ? " " : "", name, quotes[v.kind]);
    buffer_add_slice(b, v.bytes);
    buffer_printf(b, "%s", quotes[v.kind]);
}

static void say_kind(struct buffer *b, enum record_kind kind)
{
    static const char *const names[] = {
        [RECORD_INIT_START] = "init_start",
        [RECORD_INIT_REPORT] = "init_report",
        [RECORD_RESTORE_START] = "restore_start",
        [RECORD_RESTORE_REPORT] = "restore_report",
        [RECORD_START] = "start",
        [RECORD_RUNTIME_DONE] = "runtime_done",
        [RECORD_END] = "end",
        [RECORD_REPORT] = "report",
        [RECORD_TIMEOUT] = "timeout",
        [RECORD_EXIT] = "exit",
        [RECORD_XRAY] = "xray",
        [RECORD_PLATFORM] = "platform",
    };

    if (kind != RECORD_LINE)
        say(b, "kind", slice_str(names[kind]));
}

static void say_context(struct buffer *b, const struct record *r)
{
    if (r->request_id.len)
        say(b, "request", r->request_id);
    if (r->has_trace_id)
        say(b, "trace", slice_of(r->trace_id, sizeof r->trace_id));
    if (r->has_span_id)
        say(b, "span", slice_of(r->span_id, sizeof r->span_id));
    say_value(b, "logger", r->logger);
    say_value(b, "service", r->service_name);
    say_value(b, "faas", r->faas_name);
    say_value(b, "version", r->faas_version);
    say_value(b, "arn", r->faas_arn);
    say_value(b, "correlation", r->correlation_id);
    if (r->coldstart >= 0)
        say(b, "cold", slice_str(r->coldstart ? "yes" : "no"));
    say_value(b, "error", r->error_type);
    say_value(b, "reason", r->error_message);
    say_value(b, "stack", r->error_stack);
}

static void say_number(struct buffer *b, const char *name, double value)
{
    if (isnan(value))
        return;
    buffer_printf(b, "%s%s=", b->len ? " " : "", name);
    buffer_add_double(b, value);
}

static void say_report(struct buffer *b, const struct record *r)
{
    say_number(b, "duration", r->report.duration_ms);
    say_number(b, "billed", r->report.billed_ms);
    say_number(b, "memory", r->report.memory_mb);
    say_number(b, "used", r->report.max_memory_mb);
    say_number(b, "init", r->report.init_ms);
    say_number(b, "restore", r->report.restore_ms);
    say_number(b, "billed_restore", r->report.billed_restore_ms);
    if (r->report.status.len)
        say(b, "status", r->report.status);
    if (r->report.error_type.len)
        say(b, "status_error", r->report.error_type);
    if (r->runtime_version.len)
        say(b, "runtime", r->runtime_version);
    if (r->init_type.len)
        say(b, "init_type", r->init_type);
}

static void say_field(struct buffer *b, const struct field *f, bool is_own)
{
    struct buffer name = {0};

    buffer_printf(&name, is_own ? "[%.*s]" : "%.*s", SLICE_ARG(f->key));
    buffer_add_char(&name, '\0');
    say_value(b, name.ptr, f->value);
    buffer_free(&name);
}

void record_text(const struct record *r, struct buffer *out)
{
    say_kind(out, r->kind);
    if (r->has_time)
        buffer_printf(out, "%stime=%lld", out->len ? " " : "", (long long)r->time_ns);
    if (r->level)
        say(out, "level", level_name(r->level));
    if (r->level_text.len)
        say(out, "level?", r->level_text);
    say_value(out, "message", r->message);
    say_context(out, r);
    say_report(out, r);
    if (r->is_ecs)
        say(out, "ecs", slice_str("yes"));
    if (r->flags)
        buffer_printf(out, "%sflags=%u", out->len ? " " : "", r->flags);
    for (size_t i = 0; i < r->n_root; i++)
        say_field(out, &r->root[i], false);
    for (size_t i = 0; i < r->n_fields; i++)
        say_field(out, &r->fields[i], true);
}

/* When the lines were written, for times without a year: an hour after T. */
#define NEAR (INT64_C(1791539600) * 1000000000)

void record_rows_check(const struct parser *p, const struct record_row *rows, size_t n_rows)
{
    record_rows_check_times(p, NULL, rows, n_rows);
}

void record_rows_check_times(const struct parser *p, const struct time_rules *times,
                             const struct record_row *rows, size_t n_rows)
{
    struct parse_scratch scratch = {.times = {times, NEAR}};
    struct buffer got = {0};

    for (size_t i = 0; i < n_rows; i++) {
        struct record r;

        parser_parse(p, &scratch, slice_str(rows[i].line), &r);
        got.len = 0;
        record_text(&r, &got);
        cr_expect(slice_is(buffer_slice(&got), rows[i].want), "%s:\nline %s\nwant %s\ngot  %.*s",
                  rows[i].because, rows[i].line, rows[i].want, (int)got.len, got.ptr);
    }
    buffer_free(&got);
    parse_scratch_free(&scratch);
}
