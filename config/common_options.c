/* The options that all inputs, all outputs, all parsers, and the top level share. */
#include <stddef.h>

#include "config/config.h"

#define TABLE(list, type)                                                                          \
    {                                                                                              \
        (list), sizeof(list) / sizeof((list)[0]), sizeof(type)                                     \
    }
#define GLOBAL(field) offsetof(struct global_options, field)
#define INPUT(field) offsetof(struct input_common, field)
#define PARSER(field) offsetof(struct parser_common, field)
#define OUTPUT(field) offsetof(struct output_common, field)

/* Of a disk queue: a few batches; more than a disk has. */
#define QUEUE_LEAST ((int64_t)64 * 1024)
#define QUEUE_MOST ((int64_t)1024 * 1024 * 1024 * 1024)

static const struct option global_options[] = {
    {.name = "state",
     .type = OPTION_PATH,
     .offset = GLOBAL(state),
     .help = "directory of positions and dead letters; /var/lib/ship for a service of root"},
    {.name = "host",
     .type = OPTION_STRING,
     .offset = GLOBAL(host),
     .help = "host.name of the events, and a part of their ids; else the machine's name"},
    {.name = "dead_letters",
     .type = OPTION_PATH,
     .offset = GLOBAL(dead_letters),
     .help = "directory of events that were refused; else \"dead\" in the state directory"},
    {.name = "dead_letters_rotate",
     .type = OPTION_BYTES,
     .offset = GLOBAL(dead_letters_rotate_bytes),
     .fallback = "16MiB",
     .min = 64 * 1024,
     .max = 1024 * 1024 * 1024,
     .help = "a file of them that would grow larger is put aside, as dead-TIME.ndjson"},
    {.name = "labels",
     .type = OPTION_MAP,
     .offset = GLOBAL(labels),
     .help = "labels.* of every event; an input's own labels win"},
    {.name = "limits.memory",
     .type = OPTION_BYTES,
     .offset = GLOBAL(memory_bytes),
     .fallback = "24MiB",
     .min = 4 * 1024 * 1024,
     .max = (int64_t)64 * 1024 * 1024 * 1024,
     .help = "of events, from reading to acknowledgement; at the limit, reading waits"},
    {.name = "limits.drain",
     .type = OPTION_DURATION,
     .offset = GLOBAL(drain_ms),
     .fallback = "10s",
     .max = 3600000,
     .help =
         "how long stopping waits for what is under way; the rest is sent after the next start"},
    {.name = "limits.workers",
     .type = OPTION_INT,
     .offset = GLOBAL(workers),
     .fallback = "0",
     .max = 64,
     .help = "threads that parse and compress; 0: one for each CPU, at most 4"},
    {.name = "retry.initial",
     .type = OPTION_DURATION,
     .offset = GLOBAL(retry_initial_ms),
     .fallback = "500ms",
     .min = 10,
     .max = 60000,
     .help = "the first wait after a failure, about; it doubles each time"},
    {.name = "retry.max",
     .type = OPTION_DURATION,
     .offset = GLOBAL(retry_max_ms),
     .fallback = "20s",
     .min = 100,
     .max = 3600000,
     .help = "the longest wait between tries"},
    {.name = "status.listen",
     .type = OPTION_STRING,
     .offset = GLOBAL(status_listen),
     .help = "where /metrics, /healthz and /readyz are: unix:PATH, ADDRESS:PORT or none; else "
             "unix:STATE/ship.sock"},
    {.name = "queue.path",
     .type = OPTION_PATH,
     .offset = GLOBAL(queue_path),
     .help = "directory of disk queues: what was read is safe there before it is delivered; each "
             "output has a directory of its name in it"},
    {.name = "queue.max_bytes",
     .type = OPTION_BYTES,
     .offset = GLOBAL(queue_max_bytes),
     .min = QUEUE_LEAST,
     .max = QUEUE_MOST,
     .help = "of the queue of each output that says nothing else; 1GiB if this is not said either"},
};

static const char *const id_choices[] = {"auto", "none", NULL};

/* In the order of enum join_mode. */
static const char *const multiline_choices[] = {"auto", "none", NULL};

static const struct option input_common_options[] = {
    {.name = "name",
     .type = OPTION_STRING,
     .offset = INPUT(name),
     .help = "for messages and metrics; else the type"},
    {.name = "function",
     .type = OPTION_STRING,
     .offset = INPUT(function),
     .help = "faas.name of lines that do not say theirs; else from the path"},
    {.name = "dataset",
     .type = OPTION_STRING,
     .offset = INPUT(dataset),
     .help = "event.dataset of the events"},
    {.name = "labels",
     .type = OPTION_MAP,
     .offset = INPUT(labels),
     .help = "labels.* of the events"},
    {.name = "max_line",
     .type = OPTION_BYTES,
     .offset = INPUT(max_line_bytes),
     .fallback = "1MiB",
     .min = 1024,
     .max = 64 * 1024 * 1024,
     .help = "a longer line is cut, flagged and counted"},
    {.name = "chunk",
     .type = OPTION_BYTES,
     .offset = INPUT(chunk_bytes),
     .fallback = "256KiB",
     .min = 4096,
     .max = 1024 * 1024,
     .help = "how much is read at once"},
    {.name = "multiline.type",
     .type = OPTION_ENUM,
     .offset = INPUT(join.mode),
     .fallback = "auto",
     .choices = multiline_choices,
     .help =
         "auto: a stack trace is one event, whatever language it is of; none: each line is one"},
    {.name = "multiline.max_lines",
     .type = OPTION_INT,
     .offset = INPUT(join.max_lines),
     .fallback = "500",
     .min = 1,
     .max = 100000,
     .help = "the lines behind them are an event of their own"},
    {.name = "multiline.max_bytes",
     .type = OPTION_BYTES,
     .offset = INPUT(join.max_bytes),
     .fallback = "256KiB",
     .min = 1024,
     .max = 16 * 1024 * 1024,
     .help = "the same for bytes"},
    {.name = "multiline.timeout",
     .type = OPTION_DURATION,
     .offset = INPUT(join.timeout_ms),
     .fallback = "2s",
     .min = 10,
     .max = 300000,
     .help = "how long the last lines of a stream wait for more that belongs to them"},
    {.name = "invocations",
     .type = OPTION_BOOL,
     .offset = INPUT(with_invocations),
     .fallback = "true",
     .help = "a summary event for each request: duration, memory, outcome, highest level"},
    {.name = "id",
     .type = OPTION_ENUM,
     .offset = INPUT(id_mode),
     .fallback = "auto",
     .choices = id_choices,
     .help = "auto: ids of their own, so that nothing is there twice; none: the server gives them"},
    {.name = "namespace",
     .type = OPTION_STRING,
     .offset = INPUT(namespace),
     .fallback = "app",
     .help =
         "the field that an application's own JSON keys stand under; the index templates have app"},
    {.name = "lift",
     .type = OPTION_MAP,
     .offset = INPUT(lift),
     .help = "keys of the application that become fields of their own: {latency: http.latency_ms}"},
    {.name = "event_original",
     .type = OPTION_BOOL,
     .offset = INPUT(with_original),
     .fallback = "false",
     .help = "the line as it was read goes along, as event.original"},
};

/* In the order of enum on_full. */
static const char *const on_full_choices[] = {"auto", "block", "drop-and-count", "spill", NULL};

static const struct option output_common_options[] = {
    {.name = "name",
     .type = OPTION_STRING,
     .offset = OUTPUT(name),
     .help = "for messages and metrics; else the type"},
    {.name = "batch.max_bytes",
     .type = OPTION_BYTES,
     .offset = OUTPUT(batch.max_bytes),
     .fallback = "1MiB",
     .min = 4096,
     .max = 64 * 1024 * 1024,
     .help = "of one request, before compression"},
    {.name = "batch.max_events",
     .type = OPTION_INT,
     .offset = OUTPUT(batch.max_events),
     .fallback = "5000",
     .min = 1,
     .max = 100000,
     .help = "in one request"},
    {.name = "batch.linger",
     .type = OPTION_DURATION,
     .offset = OUTPUT(batch.linger_ms),
     .fallback = "200ms",
     .max = 600000,
     .help = "how long an event waits for company; 0: not at all"},
    {.name = "on_full",
     .type = OPTION_ENUM,
     .offset = OUTPUT(on_full),
     .fallback = "auto",
     .choices = on_full_choices,
     .help = "when it does not keep up: reading stops for all outputs (block; auto without a "
             "queue), the rest goes to the queue (spill; auto with one), or is dropped"},
    {.name = "memory",
     .type = OPTION_BYTES,
     .offset = OUTPUT(memory_bytes),
     .min = 64 * 1024,
     .max = (int64_t)64 * 1024 * 1024 * 1024,
     .help = "how much of limits.memory its events may hold; else all of it for block, and an even "
             "part for spill and drop-and-count"},
    {.name = "queue.path",
     .type = OPTION_PATH,
     .offset = OUTPUT(queue_path),
     .help = "directory of its disk queue, for itself alone; none: no queue; else a directory of "
             "its name in the queue.path of the top"},
    {.name = "queue.max_bytes",
     .type = OPTION_BYTES,
     .offset = OUTPUT(queue_max_bytes),
     .min = QUEUE_LEAST,
     .max = QUEUE_MOST,
     .help = "of its disk queue; else that of the top"},
};

static const struct option parser_common_options[] = {
    {.name = "time_format",
     .type = OPTION_LIST,
     .offset = PARSER(time_format),
     .help = "how times are written, one or several: strptime's letters (%f a fraction), rfc3339, "
             "epoch; else the usual forms"},
    {.name = "time_zone",
     .type = OPTION_STRING,
     .offset = PARSER(time_zone),
     .help = "of times that do not say theirs: Europe/Berlin, local, +02:00; else UTC"},
};

const struct option_table global_table = TABLE(global_options, struct global_options);
const struct option_table input_common_table = TABLE(input_common_options, struct input_common);
const struct option_table output_common_table = TABLE(output_common_options, struct output_common);
const struct option_table parser_common_table = TABLE(parser_common_options, struct parser_common);
