/* ship replay: reads what is there, once, to the end; done when every event is settled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "shipper/base/plural.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/verbs.h"
#include "shipper/verbs/where.h"

struct replay {
    const char *config_path;
    const char *to;
    const char *as;
    const char *host;
    const char *parser;
    const char *pattern;
    const char *state;
    struct where_options where;
    bool is_quiet;
    const char **paths;
    size_t n_paths;
    bool wants_stdin;

    struct config *base;   /* from -c; may be NULL */
    struct config *config; /* what the command line adds up to */
};

static int on_path(void *ctx, const char *word)
{
    struct replay *r = ctx;

    if (!*word) /* "$FILE" of a script that did not set it */
        return usage_error("replay", "a PATH is empty");
    if (word[0] == '-' && word[1] == '\0')
        r->wants_stdin = true;
    else
        r->paths[r->n_paths++] = word;
    return 0;
}

/* What --pattern is called among the parser's options; NULL: it has no pattern. */
static const char *pattern_option(const char *parser)
{
    if (strcmp(parser, "regex") == 0)
        return "pattern";
    return strcmp(parser, "grok") == 0 ? "match" : NULL;
}

/* The words after `ship`, with the --replay among them taken out. */
static int parse(struct replay *r, int argc, char **argv)
{
    bool replay = false;
    const struct arg_option options[] = {
        {"--replay", NULL, NULL, &replay},
        {"--config", "-c", &r->config_path, NULL},
        {"--to", NULL, &r->to, NULL},
        {"--as", NULL, &r->as, NULL},
        {"--host", NULL, &r->host, NULL},
        {"--parser", NULL, &r->parser, NULL},
        {"--pattern", NULL, &r->pattern, NULL},
        {"--index", NULL, &r->where.index, NULL},
        {"--user", NULL, &r->where.user, NULL},
        {"--api-key", NULL, &r->where.api_key, NULL},
        {"--ca-file", NULL, &r->where.ca_file, NULL},
        {"--state", NULL, &r->state, NULL},
        {"--quiet", "-q", NULL, &r->is_quiet},
    };
    int rc;

    r->paths = calloc((size_t)argc + 1, sizeof *r->paths);
    if (!r->paths)
        return EXIT_FAILED;
    rc = args_parse("replay", argc, argv, options, sizeof options / sizeof options[0], on_path, r);
    if (rc)
        return rc;
    if (!r->n_paths && !r->wants_stdin)
        return usage_error("replay", "nothing to replay: name a file, a directory, a glob, or -");
    if (r->parser && !r->pattern && pattern_option(r->parser))
        return usage_error("replay", "--parser %s wants a --pattern too", r->parser);
    if (r->parser && r->pattern && !pattern_option(r->parser))
        return usage_error(
            "replay", "--pattern is for the parsers regex and grok, not for \"%.40s\"", r->parser);
    if (!r->where.api_key)
        r->where.api_key = getenv("SHIP_API_KEY");
    if (!r->where.user)
        r->where.user = getenv("SHIP_USER");
    return 0;
}

/* How lines are read: as the command line says, else as the configuration's first input of the
 * kind. */
static int set_reading(const struct replay *r, struct input_config *in, struct err *e)
{
    const char *type = r->parser ? r->parser : r->pattern ? "regex" : NULL;
    const struct input_config *like = NULL;

    for (size_t i = 0; r->base && i < r->base->n_inputs && !like; i++)
        if (r->base->inputs[i].ops == in->ops)
            like = &r->base->inputs[i];
    if (like) {
        in->common = like->common;
        if (!type) {
            in->parser = like->parser;
            in->parser_is_lent = true;
        }
    }
    if (!type)
        return 0;
    if (config_set_parser(r->config, in, type, e) < 0)
        return -1;
    return r->pattern ? config_set(r->config, &in->parsers[0].ops->options, in->parsers[0].options,
                                   pattern_option(type), r->pattern, e)
                      : 0;
}

static int add_files(struct replay *r, struct err *e)
{
    struct input_config *in = config_add_input(r->config, "file", e);
    const struct option_table *table;

    if (!in)
        return -1;
    table = &in->ops->options;
    for (size_t i = 0; i < r->n_paths; i++)
        if (config_set(r->config, table, in->options, "paths", r->paths[i], e) < 0)
            return -1;
    if (config_set(r->config, table, in->options, "recursive_directories", "true", e) < 0 ||
        (r->as && config_set(r->config, table, in->options, "as", r->as, e) < 0))
        return -1;
    return set_reading(r, in, e);
}

static int add_stdin(struct replay *r, struct err *e)
{
    struct input_config *in = config_add_input(r->config, "stdin", e);

    if (!in || (r->as && config_set(r->config, &in->ops->options, in->options, "as", r->as, e) < 0))
        return -1;
    return set_reading(r, in, e);
}

static int build(struct replay *r, struct err *e)
{
    if (r->config_path && !(r->base = config_load(r->config_path, e)))
        return -1;
    r->config = config_new();
    if (!r->config)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (r->base)
        r->config->global = r->base->global;
    if (r->host)
        r->config->global.host = r->host;
    if (r->state)
        r->config->global.state = r->state;
    if ((r->n_paths && add_files(r, e) < 0) || (r->wants_stdin && add_stdin(r, e) < 0))
        return -1;
    if ((r->to || !r->base) && where_add_output(r->config, r->to ? r->to : "-", &r->where, e) < 0)
        return -1;
    return config_finish(r->config, e);
}

static void tell_summary(const struct agent_totals *t)
{
    fprintf(stderr,
            "ship: read %llu line%s (%.1f MB), %llu event%s: %llu delivered, %llu duplicate%s, "
            "%llu dead letter%s, in %.2f s\n",
            (unsigned long long)t->lines, plural_s(t->lines), (double)t->bytes / 1e6,
            (unsigned long long)t->events, plural_s(t->events), (unsigned long long)t->delivered,
            (unsigned long long)t->duplicates, plural_s(t->duplicates), (unsigned long long)t->dead,
            plural_s(t->dead), t->seconds);
    if (t->truncated)
        fprintf(stderr, "ship: %llu line%s longer than max_line and cut\n",
                (unsigned long long)t->truncated, t->truncated == 1 ? " was" : "s were");
    if (t->dead)
        fprintf(stderr, "ship: the dead letters, with reasons: %s; see `ship help dead`\n",
                t->dead_path);
}

static int exit_code(enum agent_end end, const struct agent_totals *t, const struct err *why)
{
    switch (end) {
    case AGENT_CLOSED: /* the reader has had enough, as with `| head` */
        return EXIT_DONE;
    case AGENT_GAVE_UP:
        report_error(why);
        fputs("ship: not everything was delivered; run it again: what is there already is not "
              "repeated\n",
              stderr);
        return EXIT_FAILED;
    case AGENT_DONE:
        if (t->errors) {
            fputs("ship: not everything could be read, as told above; what was read is delivered\n",
                  stderr);
            return EXIT_FAILED;
        }
        return t->dead ? EXIT_DEAD_LETTERS : EXIT_DONE;
    default:
        fputs("ship: stopped before the end; run it again: what is there already is not repeated\n",
              stderr);
        return EXIT_FAILED;
    }
}

/* Between documents on the same terminal a progress line would only be in the way. */
static bool shows_progress(const struct replay *r, const struct config *out)
{
    if (r->is_quiet || !isatty(STDERR_FILENO))
        return false;
    for (size_t i = 0; i < out->n_outputs; i++)
        if (out->outputs[i].ops == &output_stdout && isatty(STDOUT_FILENO))
            return false;
    return true;
}

static int replay(struct replay *r, struct log *log)
{
    const struct config *out = r->config->n_outputs ? r->config : r->base;
    struct agent_plan plan = {
        .global = &r->config->global,
        .inputs = r->config->inputs,
        .n_inputs = r->config->n_inputs,
        .outputs = out->outputs,
        .n_outputs = out->n_outputs,
        .is_replay = true,
        .shows_progress = shows_progress(r, out),
        .log = log,
    };
    struct err e = {0};
    struct agent_totals totals;
    struct agent *a = agent_new(&plan, &e);
    enum agent_end end;
    int rc;

    if (!a)
        return report_error(&e);
    end = agent_run(a, &e);
    agent_totals(a, &totals);
    if (end != AGENT_CLOSED && !r->is_quiet)
        tell_summary(&totals);
    rc = exit_code(end, &totals, &e);
    agent_free(a, NULL);
    return rc;
}

static int run(int argc, char **argv)
{
    struct replay r = {0};
    struct err e = {0};
    struct log *log;
    int rc = parse(&r, argc, argv);

    if (rc == 0) {
        log = log_new(STDERR_FILENO, LOG_WARN, false);
        rc = build(&r, &e);
        where_hide(&r.where, r.to);
        rc = rc < 0 ? report_error(&e) : replay(&r, log);
        log_free(log);
    }
    config_free(r.config);
    config_free(r.base);
    free(r.paths);
    return rc;
}

const struct verb verb_replay = {
    .name = "replay",
    .synopsis = "--replay PATH... [--to WHERE] [-c FILE] [--as PATH] [--host NAME]\n"
                "       [--parser P] [--pattern REGEX] [--index NAME] [--user NAME:PASSWORD]\n"
                "       [--api-key KEY] [--ca-file FILE] [--state DIR] [-q]",
    .summary = "read files once, deliver every event, and end",
    .help = "PATH is a file (.gz and .zst too), a directory, a glob, or - for standard input.\n"
            "WHERE is - (NDJSON on standard output, the default), local:FILE (an embedded\n"
            "store), or http(s)://HOST:PORT (Elasticsearch, OpenSearch). Running it again\n"
            "repeats nothing.\n"
            "  -c, --config FILE    outputs, labels and parser from a configuration\n"
            "  --as PATH            the path that the files had where they were written\n"
            "  --host NAME          the host that they were written on\n"
            "  --parser P           auto (default), json, logfmt, syslog, access, regex, ...\n"
            "  --pattern REGEX      of the parser regex, or grok\n"
            "  --index NAME         data stream (default logs-serverless.lambda-default)\n"
            "  --user NAME:PASSWORD, --api-key KEY (or SHIP_USER, SHIP_API_KEY)\n"
            "  --ca-file FILE       certificates to trust\n"
            "  --state DIR          for dead letters (default ship-state)\n"
            "  -q, --quiet          no progress, no summary\n"
            "Exit codes: 0 all settled, 1 failed, 2 usage, 3 settled but with dead letters.\n",
    .run = run,
};
