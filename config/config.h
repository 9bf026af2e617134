/* The configuration: one const struct, from YAML and from the command line.
 *
 * Owner:  config_free frees everything that was loaded or set; a string that a caller has put into
 *         an option struct by himself stays his.
 * Errors: ERR_CONFIG; one message that names file:line:column, the path of the option
 *         ("outputs[0].hosts"), what was expected, the nearest valid name, and that ship does not
 *         start. Secrets are never quoted.
 * Thread: read-only once loaded. */
#ifndef SHIP_CONFIG_CONFIG_H
#define SHIP_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "parsers/parser.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"
#include "shipper/delivery/intake.h"
#include "shipper/inputs/input.h"

/* What every output can be told besides its own options. */
struct output_common {
    const char *name;
    bool has_own_name;         /* the configuration gave it */
    const char *identity;      /* what it is known by from one life to the next, once finished;
                                  NULL: it has only its place among others of its type */
    struct batch_limits batch; /* batch.max_bytes, batch.max_events, batch.linger */
    int on_full;               /* enum on_full; not ON_FULL_AUTO once finished */
    int64_t memory_bytes;      /* its share of limits.memory; not 0 once finished */
    const char *queue_path;    /* queue.path: its directory, once finished; NULL: no queue */
    int64_t queue_max_bytes;   /* queue.max_bytes */
};

/* What every parser can be told besides its own options. */
struct parser_common {
    struct option_list time_format;
    const char *time_zone;
};

struct global_options {
    const char *state;        /* directory of checkpoints; NULL: the default of the way it is run */
    const char *host;         /* NULL: gethostname */
    const char *dead_letters; /* directory; NULL: STATE/dead */
    int64_t dead_letters_rotate_bytes;
    int64_t memory_bytes;      /* limits.memory */
    int64_t drain_ms;          /* limits.drain */
    int64_t workers;           /* limits.workers; 0: CPUs, at most 4 */
    int64_t retry_initial_ms;  /* retry.initial */
    int64_t retry_max_ms;      /* retry.max */
    const char *status_listen; /* status.listen; NULL: "ship.sock" in the state directory */
    const char *queue_path;    /* queue.path: each output has a directory in it; NULL: no queues */
    int64_t queue_max_bytes;   /* queue.max_bytes, of each */
    struct option_map labels;
};

/* A parser that an input names. */
struct parser_config {
    const struct parser_ops *ops;
    void *options; /* the struct that ops->options describes */
    struct parser_common common;
    struct time_rules *times; /* made of common; NULL: it says nothing */
};

struct input_config {
    const struct input_ops *ops;
    void *options; /* the struct that ops->options describes */
    struct input_common common;
    struct parser_config *parsers; /* in the order in which they are asked; at least one */
    size_t n_parsers;
    bool parser_is_list;  /* it was written as one: `parser: [json, logfmt]` */
    struct parser parser; /* made from them: a chain, if they are several */
    bool parser_is_lent;  /* it belongs to another configuration, which lives longer */
};

struct output_config {
    const struct output_ops *ops;
    void *options;
    struct output_common common;
};

struct keep;

struct config {
    const char *path;                /* NULL: from the command line alone */
    struct keep *keep;               /* owns the option structs and all that they point at */
    struct option_list secret_files; /* that ${file:...} named */
    bool has_plain_secret;           /* one stands in the file itself */
    struct global_options global;
    struct input_config *inputs;
    size_t n_inputs;
    struct output_config *outputs;
    size_t n_outputs;
};

/* The option tables that all inputs, all outputs, and the top level share. Dots in names stand for
 * nested maps: "limits.memory" is `limits: {memory: ...}`. */
extern const struct option_table global_table;        /* struct global_options */
extern const struct option_table input_common_table;  /* struct input_common */
extern const struct option_table output_common_table; /* struct output_common */
extern const struct option_table parser_common_table; /* struct parser_common */

/* Reads, expands ${...}, checks and makes the parsers. Needs at least one input and one output.
 * NULL and *e. */
struct config *config_load(const char *path, struct err *e);
/* The same from text; `origin` stands for the path in messages. */
struct config *config_parse(const char *text, size_t len, const char *origin, struct err *e);

/* For the command line: a configuration in the making, everything at its default. */
struct config *config_new(void);
/* An input or output of this type, at its defaults; NULL and *e for an unknown type (with the
 * nearest name). The pointer is valid until the next one is added. */
struct input_config *config_add_input(struct config *c, const char *type, struct err *e);
struct output_config *config_add_output(struct config *c, const char *type, struct err *e);
/* The input's only parser from now on, at its defaults; or one more behind those that it has. -1
 * and *e for an unknown type. */
int config_set_parser(struct config *c, struct input_config *in, const char *type, struct err *e);
int config_add_parser(struct config *c, struct input_config *in, const char *type, struct err *e);
/* Sets one option from text, as it would stand in the file but without ${...}; a list option is
 * added to. The copies live as long as c. */
int config_set(struct config *c, const struct option_table *table, void *options, const char *name,
               const char *value, struct err *e);
/* Validates and makes the parsers; after this it is as if loaded. That there is at least one input
 * and one output is for the caller to see to. */
int config_finish(struct config *c, struct err *e);

void config_free(struct config *c);

#endif
