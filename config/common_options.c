/* The options that all inputs, all outputs, and the top level share. */
#include <stddef.h>

#include "config/config.h"

#define TABLE(list, type)                                                                          \
    {                                                                                              \
        (list), sizeof(list) / sizeof((list)[0]), sizeof(type)                                     \
    }
#define GLOBAL(field) offsetof(struct global_options, field)
#define INPUT(field) offsetof(struct input_common, field)
#define OUTPUT(field) offsetof(struct output_common, field)

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
     .fallback = "30s",
     .min = 100,
     .max = 3600000,
     .help = "the longest wait between tries"},
};

static const char *const id_choices[] = {"auto", "none", NULL};

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
};

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
};

const struct option_table global_table = TABLE(global_options, struct global_options);
const struct option_table input_common_table = TABLE(input_common_options, struct input_common);
const struct option_table output_common_table = TABLE(output_common_options, struct output_common);
