#include "shipper/observe/metrics.h"

#include <stddef.h>
#include <string.h>

/* --- the tables: a row is a metric family --- */

enum kind { COUNTER, GAUGE };
enum number {
    COUNT,   /* uint64_t */
    BYTES,   /* int64_t */
    MS,      /* int64_t, told in seconds */
    SMALL,   /* unsigned */
    SECONDS, /* double */
};

struct family {
    const char *name; /* counters: without _total */
    enum kind kind;
    enum number number;
    size_t offset;
    const char *help;
};

#define INPUT(field) offsetof(struct snapshot_input, field)
#define OUTPUT(field) offsetof(struct snapshot_output, field)
#define WHOLE(field) offsetof(struct snapshot, field)

static const struct family input_families[] = {
    {"ship_input_read_bytes", COUNTER, COUNT, INPUT(stats.bytes), "Read, unpacked."},
    {"ship_input_lines", COUNTER, COUNT, INPUT(stats.lines), "Lines read."},
    {"ship_input_events", COUNTER, COUNT, INPUT(stats.events),
     "Events made of them, summaries of requests included; each counts once, however many outputs "
     "there are."},
    {"ship_input_truncated_lines", COUNTER, COUNT, INPUT(stats.truncated),
     "Lines cut at max_line."},
    {"ship_input_lost_bytes", COUNTER, COUNT, INPUT(stats.lost_bytes),
     "Bytes that were seen and were gone before they were read: a file was truncated or deleted."},
    {"ship_input_errors", COUNTER, COUNT, INPUT(stats.errors),
     "Files that could not be read, or not to their end."},
    {"ship_input_streams", GAUGE, COUNT, INPUT(stats.streams), "Streams that are followed now."},
    {"ship_input_lag_bytes", GAUGE, COUNT, INPUT(lag_bytes),
     "Bytes that are known to be there and are not delivered yet; packed files do not count."},
};

static const struct family output_families[] = {
    {"ship_events_in", COUNTER, COUNT, OUTPUT(in),
     "Events that came in. At every moment: in = delivered + duplicates + in_flight + dead + "
     "dropped."},
    {"ship_events_delivered", COUNTER, COUNT, OUTPUT(stats.delivered), "Events that were taken."},
    {"ship_events_duplicates", COUNTER, COUNT, OUTPUT(stats.duplicates),
     "Events that were there already: an earlier try had landed."},
    {"ship_events_in_flight", GAUGE, COUNT, OUTPUT(in_flight),
     "Events that came in and are not settled."},
    {"ship_events_dead", COUNTER, COUNT, OUTPUT(stats.dead), "Events set aside as dead letters."},
    {"ship_events_dropped", COUNTER, COUNT, OUTPUT(dropped),
     "Events that were dropped because the configuration says so (on_full)."},
    {"ship_events_retried", COUNTER, COUNT, OUTPUT(stats.retried),
     "Tries beyond the first, for each event."},
    {"ship_output_requests", COUNTER, COUNT, OUTPUT(stats.requests), "Requests sent."},
    {"ship_output_request_failures", COUNTER, COUNT, OUTPUT(stats.failures),
     "Requests that brought no verdicts."},
    {"ship_output_requests_in_flight", GAUGE, SMALL, OUTPUT(stats.in_flight_requests),
     "Requests under way."},
    {"ship_output_request_limit", GAUGE, SMALL, OUTPUT(stats.most_requests),
     "How many may be under way at once, as the far side can take them; 1 while it fails."},
    {"ship_output_oldest_event_age_seconds", GAUGE, MS, OUTPUT(view.oldest_ms),
     "How long ago the oldest event in flight was read."},
    {"ship_output_stalled_seconds", GAUGE, MS, OUTPUT(view.stalled_ms),
     "For how long events have waited and none was settled; 60: /readyz is red."},
    {"ship_output_held_bytes", GAUGE, BYTES, OUTPUT(held_bytes),
     "Memory that its sealed batches take."},
};

static const struct family queue_families[] = {
    {"ship_queue_records", GAUGE, COUNT, OUTPUT(queue.records), "Batches on disk and not settled."},
    {"ship_queue_events", GAUGE, COUNT, OUTPUT(queue.events), "Events in them."},
    {"ship_queue_bytes", GAUGE, BYTES, OUTPUT(queue.bytes), "What the queue's files take."},
    {"ship_queue_damaged_records", COUNTER, COUNT, OUTPUT(queue.damaged_records),
     "Records that could not be read back, at least: a damaged stretch counts as one."},
    {"ship_queue_damaged_bytes", COUNTER, BYTES, OUTPUT(queue.damaged_bytes), "Bytes of them."},
};

static const struct family whole_families[] = {
    {"ship_memory_held_bytes", GAUGE, BYTES, WHOLE(memory_held_bytes),
     "Memory that events take, from reading to acknowledgement."},
    {"ship_memory_limit_bytes", GAUGE, BYTES, WHOLE(memory_limit_bytes),
     "Its ceiling, limits.memory."},
    {"ship_memory_peak_bytes", GAUGE, BYTES, WHOLE(memory_peak_bytes),
     "The most it was under this configuration."},
    {"process_resident_memory_bytes", GAUGE, BYTES, WHOLE(process.resident_bytes),
     "Resident memory of the process."},
    {"process_resident_memory_peak_bytes", GAUGE, BYTES, WHOLE(process.resident_peak_bytes),
     "The most it was."},
    {"process_open_fds", GAUGE, BYTES, WHOLE(process.open_descriptors), "Open file descriptors."},
    {"process_max_fds", GAUGE, BYTES, WHOLE(process.max_descriptors), "How many may be open."},
    {"process_threads", GAUGE, BYTES, WHOLE(process.threads), "Threads."},
    {"process_cpu_seconds", COUNTER, SECONDS, WHOLE(process.cpu_s), "Processor time used."},
    {"process_start_time_seconds", GAUGE, SECONDS, WHOLE(start_s),
     "When it was started, since 1970."},
};

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* --- the text --- */

/* Label values: backslash, quote and newline are escaped, everything else stands as it is. */
static void add_escaped(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            buffer_add_lit(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"')
            buffer_add_char(out, '\\');
        buffer_add_char(out, *text);
    }
}

static void add_label(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, "%s=\"", name);
    add_escaped(out, value);
    buffer_add_char(out, '"');
}

static void add_text(struct buffer *out, const char *text)
{
    buffer_add(out, text, strlen(text));
}

/* "ship_queue_bytes" ends with its unit. */
static void add_unit(struct buffer *out, const char *name)
{
    static const char *const units[] = {"bytes", "seconds"};

    for (size_t i = 0; i < N(units); i++) {
        size_t len = strlen(name);
        size_t unit_len = strlen(units[i]);

        if (len > unit_len && name[len - unit_len - 1] == '_' &&
            strcmp(name + len - unit_len, units[i]) == 0)
            buffer_printf(out, "# UNIT %s %s\n", name, units[i]);
    }
}

static void add_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# TYPE %s %s\n", name, type);
    add_unit(out, name);
    buffer_printf(out, "# HELP %s %s\n", name, help);
}

static void add_value(struct buffer *out, const struct family *f, const void *base)
{
    const char *at = (const char *)base + f->offset;

    switch (f->number) {
    case COUNT:
        buffer_printf(out, "%llu", (unsigned long long)*(const uint64_t *)(const void *)at);
        break;
    case BYTES:
        buffer_add_int(out, *(const int64_t *)(const void *)at);
        break;
    case MS:
        buffer_add_double(out, (double)*(const int64_t *)(const void *)at / 1000);
        break;
    case SMALL:
        buffer_add_int(out, *(const unsigned *)(const void *)at);
        break;
    case SECONDS:
        buffer_add_double(out, *(const double *)(const void *)at);
        break;
    }
}

/* One line; `label` and `value` NULL: it has none. */
static void add_sample(struct buffer *out, const struct family *f, const char *label,
                       const char *value, const void *base)
{
    add_text(out, f->name);
    if (f->kind == COUNTER)
        buffer_add_lit(out, "_total");
    if (label) {
        buffer_add_char(out, '{');
        add_label(out, label, value);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ' ');
    add_value(out, f, base);
    buffer_add_char(out, '\n');
}

static void add_family_head(struct buffer *out, const struct family *f)
{
    add_head(out, f->name, f->kind == COUNTER ? "counter" : "gauge", f->help);
}

static void add_inputs(const struct snapshot *s, struct buffer *out)
{
    for (size_t i = 0; i < N(input_families); i++) {
        add_family_head(out, &input_families[i]);
        for (size_t k = 0; k < s->n_inputs; k++)
            add_sample(out, &input_families[i], "input", s->inputs[k].name, &s->inputs[k]);
    }
}

static void add_outputs(const struct snapshot *s, struct buffer *out)
{
    for (size_t i = 0; i < N(output_families); i++) {
        add_family_head(out, &output_families[i]);
        for (size_t k = 0; k < s->n_outputs; k++)
            add_sample(out, &output_families[i], "output", s->outputs[k].name, &s->outputs[k]);
    }
}

static void add_places(const struct snapshot *s, struct buffer *out)
{
    static const char *const places[] = {
        [BATCH_READY] = "ready",     [BATCH_SENDING] = "sending", [BATCH_RETRYING] = "retrying",
        [BATCH_FAILING] = "failing", [BATCH_HOLDING] = "holding", [BATCH_ASIDE] = "aside"};

    add_head(out, "ship_output_batches", "gauge",
             "Batches that are not settled: ready; with the far side; waiting for a try of their "
             "own; held because the output fails, or because somebody must mend it; being taken "
             "apart or set aside.");
    for (size_t k = 0; k < s->n_outputs; k++)
        for (size_t i = 0; i < BATCH_PLACES; i++) {
            buffer_add_lit(out, "ship_output_batches{");
            add_label(out, "output", s->outputs[k].name);
            buffer_printf(out, ",state=\"%s\"} %llu\n", places[i],
                          (unsigned long long)s->outputs[k].view.batches[i]);
        }
}

static void add_queues(const struct snapshot *s, struct buffer *out)
{
    bool has_queue = false;

    for (size_t k = 0; k < s->n_outputs; k++)
        has_queue |= s->outputs[k].has_queue;
    for (size_t i = 0; has_queue && i < N(queue_families); i++) {
        add_family_head(out, &queue_families[i]);
        for (size_t k = 0; k < s->n_outputs; k++)
            if (s->outputs[k].has_queue)
                add_sample(out, &queue_families[i], "output", s->outputs[k].name, &s->outputs[k]);
    }
}

static void add_whole(const struct snapshot *s, struct buffer *out)
{
    for (size_t i = 0; i < N(whole_families); i++) {
        add_family_head(out, &whole_families[i]);
        add_sample(out, &whole_families[i], NULL, NULL, s);
    }
    add_head(out, "ship_config_reloads", "counter",
             "Reloads asked for by SIGHUP; a bad one changes nothing.");
    buffer_printf(out,
                  "ship_config_reloads_total{result=\"good\"} %llu\n"
                  "ship_config_reloads_total{result=\"bad\"} %llu\n",
                  (unsigned long long)s->reloads_good, (unsigned long long)s->reloads_bad);
    add_head(out, "ship_build", "info", "Which ship this is.");
    buffer_add_lit(out, "ship_build_info{version=\"" SHIP_VERSION "\"} 1\n");
}

void metrics_write(const struct snapshot *s, struct buffer *out)
{
    add_inputs(s, out);
    add_outputs(s, out);
    add_places(s, out);
    add_queues(s, out);
    add_whole(s, out);
    buffer_add_lit(out, "# EOF\n");
}
