/* ship check: what a configuration would do, without doing it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "shipper/base/disk.h"
#include "shipper/base/files.h"
#include "shipper/base/path.h"
#include "shipper/base/plural.h"
#include "shipper/base/printable.h"
#include "shipper/delivery/queue.h"
#include "shipper/observe/status_address.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/check/places.h"
#include "shipper/verbs/check/sinks.h"
#include "shipper/verbs/overlap.h"
#include "shipper/verbs/state.h"
#include "shipper/verbs/verbs.h"
#include "shipper/verbs/where.h"

static const char default_path[] = "/etc/ship/ship.yaml";

struct check {
    const struct config *config;
    unsigned n_troubles; /* what keeps ship from working: exit 1 */
    unsigned n_warnings; /* legal but dangerous */
};

static void say_trouble(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say_warning(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What servers and file names say goes to a terminal. */
static void say(const char *what, const char *fmt, va_list ap)
{
    char text[2048];

    vsnprintf(text, sizeof text, fmt, ap);
    printf("  %s: %s\n", what, make_printable(text));
}

static void say_trouble(struct check *c, const char *fmt, ...)
{
    va_list ap;

    c->n_troubles++;
    va_start(ap, fmt);
    say("FAILED", fmt, ap);
    va_end(ap);
}

static void say_warning(struct check *c, const char *fmt, ...)
{
    va_list ap;

    c->n_warnings++;
    va_start(ap, fmt);
    say("warning", fmt, ap);
    va_end(ap);
}

/* "input file", "output es-1 (elasticsearch)" */
static void say_section(const char *kind, const char *name, const char *type)
{
    if (strcmp(name, type) == 0)
        printf("%s %s\n", kind, name);
    else
        printf("%s %s (%s)\n", kind, name, type);
}

static void check_inputs(struct check *c)
{
    struct err e = {0};
    char text[sizeof e.what + sizeof e.where + 4];

    for (size_t i = 0; i < c->config->n_inputs; i++) {
        const struct input_config *in = &c->config->inputs[i];
        struct buffer found = {0};

        say_section("input", in->common.name, in->ops->name);
        if (in->ops->check && !in->ops->check(in->options, &files_posix, &found))
            c->n_troubles++;
        printf("%.*s  parser: ", SLICE_ARG(buffer_slice(&found)));
        for (size_t p = 0; p < in->n_parsers; p++)
            printf("%s%s", p ? ", else " : "", in->parsers[p].ops->name);
        putchar('\n');
        buffer_free(&found);
    }
    if (overlap_check(c->config->inputs, c->config->n_inputs, &e) < 0)
        say_trouble(c, "%s", err_text(&e, text, sizeof text));
}

static void say_warnings(struct check *c, const struct output_config *out)
{
    struct buffer lines = {0};
    struct slice rest;
    struct slice line;

    if (out->ops->warn)
        out->ops->warn(out->options, &lines);
    for (rest = buffer_slice(&lines); slice_cut(&rest, '\n', &line);)
        say_warning(c, "%.*s", SLICE_ARG(line));
    buffer_free(&lines);
}

static void say_answer(struct check *c, const struct sink_answer *answer)
{
    char text[sizeof answer->why.what + sizeof answer->why.where + 4];

    if (answer->why.code != ERR_NONE)
        say_trouble(c, "%s", err_text(&answer->why, text, sizeof text));
    else
        printf("  %s: ready\n", answer->where);
}

/* What waits in its queue; another ship may be at work with it meanwhile. */
static void check_queue(struct check *c, const struct output_config *out)
{
    const char *directory = out->common.queue_path;
    struct queue_stats found = {0};
    struct err e = {0};

    if (!directory)
        return;
    if (path_check_directory(directory, &e) < 0 ||
        !queue_peek(directory, &disk_posix, &found, &e)) {
        printf("  queue %s\n", directory);
        say_trouble(c, "%s", e.what);
        return;
    }
    if (found.events)
        printf("  queue %s: %llu event%s\n", directory, (unsigned long long)found.events,
               plural_s(found.events));
    else
        printf("  queue %s: empty\n", directory);
    if (found.damaged_records)
        say_warning(c, "%lld bytes in the queue are damaged; what was there is lost",
                    (long long)found.damaged_bytes);
}

static int check_outputs(struct check *c, bool is_offline, struct err *e)
{
    size_t n = c->config->n_outputs;
    struct sink_answer *answers = calloc(n, sizeof *answers);
    int rc = 0;

    if (!answers)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (!is_offline)
        rc = check_sinks(c->config->outputs, n, answers, e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct output_config *out = &c->config->outputs[i];

        say_section("output", out->common.name, out->ops->name);
        if (!is_offline)
            say_answer(c, &answers[i]);
        say_warnings(c, out);
        check_queue(c, out);
    }
    free(answers);
    return rc;
}

static void check_directory(struct check *c, const char *what, const char *path)
{
    struct err e = {0};

    printf("%s %s\n", what, path);
    if (path_check_directory(path, &e) < 0)
        say_trouble(c, "%s", e.what);
}

/* As it would stop a start. An empty one is as if there were none. */
static void check_positions(struct check *c, const char *state)
{
    static const char magic[] = "SQLite format 3"; /* the header of each of its files; NUL too */
    char head[sizeof magic];
    char *path = path_join(state, "checkpoints.db");
    FILE *f = path ? fopen(path, "re") : NULL;
    size_t n = f ? fread(head, 1, sizeof head, f) : 0;

    if (n && (n < sizeof head || memcmp(head, magic, sizeof head) != 0))
        say_trouble(c, "%s: the positions of all files are in it, and it is damaged", path);
    if (f)
        fclose(f);
    free(path);
}

/* Said only where it is configured, or cannot be. */
static void check_status(struct check *c, const char *text)
{
    struct status_address address;
    struct err e = {0};
    bool is_good = status_address_parse(text, &address, &e) == 0;

    if (is_good && !c->config->global.status_listen)
        return;
    printf("status %s\n", text);
    if (!is_good)
        say_warning(c, "%s; ship runs without metrics", e.what);
    else if (!status_address_is_local(&address))
        say_warning(c, "everybody who reaches this machine may read it: there are no log lines in "
                       "it, but the names of inputs, outputs and hosts");
}

static int check_state(struct check *c, struct err *e)
{
    const struct global_options *g = &c->config->global;
    char *state = state_directory(g->state, false);
    char *dead = state ? state_dead_letters(g->dead_letters, state) : NULL;
    char *status = state ? state_status_address(g->status_listen, state) : NULL;
    bool is_whole = dead && status;

    if (is_whole) {
        check_directory(c, "state", state);
        check_positions(c, state);
        if (g->dead_letters)
            check_directory(c, "dead letters", dead);
        check_status(c, status);
    }
    free(state);
    free(dead);
    free(status);
    return is_whole ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* After its name, so that the reader knows what is spoken of. */
static void check_secrets(struct check *c)
{
    const struct config *config = c->config;

    printf("configuration %s\n", config->path);
    if (config->has_plain_secret && place_is_public(config->path))
        say_warning(c,
                    "a secret stands in it, and everybody here may read it: chmod 600 %s, or "
                    "give the secret as ${file:/path}",
                    config->path);
    for (size_t i = 0; i < config->secret_files.n_items; i++)
        if (place_is_public(config->secret_files.items[i]))
            say_warning(c, "everybody here may read %s: chmod 600 it",
                        config->secret_files.items[i]);
}

static int conclude(const struct check *c)
{
    if (c->n_troubles)
        printf("not ready: %u to mend\n", c->n_troubles);
    else if (c->n_warnings)
        printf("good, with %u warning%s\n", c->n_warnings, c->n_warnings == 1 ? "" : "s");
    else
        puts("good");
    return c->n_troubles || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

static int check_all(const char *path, bool is_offline)
{
    struct err e = {0};
    struct config *config = config_load(path, &e);
    struct check c = {.config = config};
    int rc;

    if (!config)
        return report_error(&e);
    check_secrets(&c);
    check_inputs(&c);
    if (check_outputs(&c, is_offline, &e) < 0 || check_state(&c, &e) < 0)
        rc = report_error(&e);
    else
        rc = conclude(&c);
    config_free(config);
    return rc;
}

static int no_words(void *ctx, const char *word)
{
    (void)ctx;
    return usage_error("check", "\"%.60s\" is too much; want -c FILE", where_shown(word));
}

static int run(int argc, char **argv)
{
    const char *path = default_path;
    bool is_offline = false;
    const struct arg_option options[] = {{"--config", "-c", &path, NULL},
                                         {"--offline", NULL, NULL, &is_offline}};
    int rc = args_parse("check", argc, argv, options, 2, no_words, NULL);

    return rc ? rc : check_all(path, is_offline);
}

const struct verb verb_check = {
    .name = "check",
    .synopsis = "check [-c FILE] [--offline]",
    .summary = "try a configuration, its inputs and outputs; start nothing",
    .help = "Says what each input finds now and whether each output answers, and warns of\n"
            "what is legal but dangerous. Secrets are never printed. Nothing is changed.\n"
            "  -c, --config FILE   the configuration (default /etc/ship/ship.yaml)\n"
            "  --offline           outputs are not asked\n"
            "Exit codes: 0 good (with warnings or without), 1 an input, output or directory\n"
            "cannot be used, 2 the configuration is wrong.\n",
    .run = run,
};
