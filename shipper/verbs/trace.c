/* ship trace: the story of one request, across all functions that it went through. */
#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config/config.h"
#include "shipper/base/printable.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/trace/archive.h"
#include "shipper/verbs/trace/collect.h"
#include "shipper/verbs/trace/render.h"
#include "shipper/verbs/verbs.h"
#include "shipper/verbs/where.h"

enum { LIST_MAX = 20, LIST_READ = 500 };

static const char config_path[] = "/etc/ship/ship.yaml";
static const char default_store[] = "ship.db";

struct trace {
    const char *id;
    const char *words; /* --find */
    const char *from;
    const char *config_path;
    struct where_options where;
    bool is_json;
    struct config *config;
    struct archive *archive;
};

static int on_word(void *ctx, const char *word)
{
    struct trace *t = ctx;

    if (t->id)
        return usage_error("trace", "one ID at a time, not also \"%.60s\"", where_shown(word));
    t->id = word;
    return 0;
}

static bool has_word(const char *text)
{
    while (*text && !isalnum((unsigned char)*text) && (unsigned char)*text < 0x80)
        text++;
    return *text;
}

static int parse(struct trace *t, int argc, char **argv)
{
    const struct arg_option options[] = {
        {"--find", NULL, &t->words, NULL},
        {"--from", NULL, &t->from, NULL},
        {"--config", "-c", &t->config_path, NULL},
        {"--json", NULL, NULL, &t->is_json},
        {"--index", NULL, &t->where.index, NULL},
        {"--user", NULL, &t->where.user, NULL},
        {"--api-key", NULL, &t->where.api_key, NULL},
        {"--ca-file", NULL, &t->where.ca_file, NULL},
    };
    int rc =
        args_parse("trace", argc, argv, options, sizeof options / sizeof options[0], on_word, t);

    if (rc)
        return rc;
    if (t->id && t->words)
        return usage_error("trace", "either an ID or --find WORDS");
    if (t->id && !*t->id)
        return usage_error("trace", "the ID is empty");
    if (t->words && !has_word(t->words))
        return usage_error("trace", "--find wants words");
    if (!t->where.api_key)
        t->where.api_key = getenv("SHIP_API_KEY");
    if (!t->where.user)
        t->where.user = getenv("SHIP_USER");
    return 0;
}

/* --- where to read --- */

/* The first output of the configuration that can be read back, a store before a server. */
static const struct output_config *readable_output(const struct config *c)
{
    const struct output_ops *const kinds[] = {&output_local, &output_elasticsearch};

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < c->n_outputs; i++)
            if (c->outputs[i].ops == kinds[k])
                return &c->outputs[i];
    return NULL;
}

/* What the command line names, else the configuration, else ./ship.db. NULL and *e. */
static const struct output_config *choose_output(struct trace *t, struct err *e)
{
    const char *path = t->config_path ? t->config_path : config_path;
    const struct output_config *output;

    if (!t->from && (t->config_path || access(path, R_OK) == 0)) {
        t->config = config_load(path, e);
        output = t->config ? readable_output(t->config) : NULL;
        if (t->config && !output) {
            err_set(e, ERR_CONFIG,
                    "has no output that can be read back (local, elasticsearch); "
                    "name one with --from");
            err_at(e, "%s", path);
        }
        return output;
    }
    if (!t->from && access(default_store, F_OK) < 0) {
        err_set(e, ERR_CONFIG,
                "nowhere to read from: there is no %s and no ./%s; name it with --from local:FILE "
                "or --from http(s)://HOST:PORT",
                config_path, default_store);
        return NULL;
    }
    t->config = config_new();
    if (!t->config) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    return where_add_output(t->config, t->from ? t->from : "local:ship.db", &t->where, e) < 0
               ? NULL
               : &t->config->outputs[0];
}

static int open_archive(struct trace *t, struct err *e)
{
    const struct output_config *output = choose_output(t, e);

    if (!output || (output->ops->validate && output->ops->validate(output->options, e) < 0))
        return -1;
    t->archive = archive_open(output, e);
    return t->archive ? 0 : -1;
}

/* --- what to print --- */

static bool is_tty(void)
{
    return isatty(STDOUT_FILENO);
}

static struct render_options render_options(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    struct winsize size;
    struct render_options out = {0};

    if (!is_tty())
        return out;
    out.has_colours = (!no_colour || !*no_colour) && term && strcmp(term, "dumb") != 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        out.width = size.ws_col;
    return out;
}

/* Takes the text. A reader that has had enough, as with `| head`, is no failure. */
static int print(struct buffer *text, struct err *e)
{
    int rc = 0;

    if (text->failed)
        rc = err_set(e, ERR_NOMEM, "out of memory");
    else if ((fwrite(text->ptr, 1, text->len, stdout) < text->len || fflush(stdout) != 0) &&
             errno != EPIPE)
        rc = err_set(e, ERR_STORE, "standard output: %s", strerror(errno));
    buffer_free(text);
    return rc;
}

/* --- one story --- */

static int tell_candidates(const struct trace *t, const struct names *candidates)
{
    fprintf(stderr, "ship: \"%.60s\" is the beginning of %s%zu:\n", t->id,
            candidates->n_items >= COLLECT_MAX_CANDIDATES ? "more than " : "", candidates->n_items);
    for (size_t i = 0; i < candidates->n_items; i++)
        fprintf(stderr, "  %s\n", make_printable(candidates->items[i]));
    fputs("ship: give more of the one that is meant\n", stderr);
    return EXIT_FAILED;
}

static int tell_story(struct story *story, bool is_json)
{
    struct render_options options = render_options();
    struct buffer text = {0};
    struct err e = {0};

    if (is_json) {
        if (render_json(story, is_tty(), &text, &e) < 0)
            return report_error(&e);
    } else {
        render_text(story, &options, &text);
    }
    return print(&text, &e) < 0 ? report_error(&e) : EXIT_DONE;
}

static int show_story(struct trace *t)
{
    struct names candidates = {0};
    struct story story = {0};
    struct err e = {0};
    int rc = EXIT_FAILED;

    switch (collect(t->archive, t->id, &story, &candidates, &e)) {
    case COLLECT_FOUND:
        rc = tell_story(&story, t->is_json);
        break;
    case COLLECT_NONE:
        fprintf(stderr, "ship: no request and no trace begins with \"%.60s\"\n",
                where_shown(t->id));
        break;
    case COLLECT_AMBIGUOUS:
        rc = tell_candidates(t, &candidates);
        break;
    case COLLECT_FAILED:
        rc = report_error(&e);
        break;
    }
    names_free(&candidates);
    story_free(&story);
    return rc;
}

/* --- a list --- */

struct list {
    struct arena arena;
    struct story_event events[LIST_READ];
    size_t n_events;
};

static void on_match(void *ctx, struct slice document)
{
    struct list *list = ctx;
    struct story_invocation summary;

    if (list->n_events < LIST_READ &&
        story_read(&list->arena, document, &list->events[list->n_events], &summary))
        list->n_events++;
}

/* Newest first; what is of one time, in an order of its own, so that it is the same everywhere. */
static int by_age(const void *a, const void *b)
{
    const struct story_event *x = a;
    const struct story_event *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns > y->time_ns ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset > y->offset ? -1 : 1;
    return x->id.len && x->id.len == y->id.len ? memcmp(x->id.ptr, y->id.ptr, x->id.len) : 0;
}

static bool is_listed(const struct story_event *events, size_t n, struct slice request)
{
    for (size_t i = 0; i < n && request.len; i++)
        if (slice_eq(events[i].request, request))
            return true;
    return false;
}

/* Leaves a request once, with its newest match; what has no request, each. */
static void arrange(struct list *list)
{
    size_t n = 0;

    if (list->n_events)
        qsort(list->events, list->n_events, sizeof list->events[0], by_age);
    for (size_t i = 0; i < list->n_events && n < LIST_MAX; i++)
        if (!is_listed(list->events, n, list->events[i].request))
            list->events[n++] = list->events[i];
    list->n_events = n;
}

static int print_list(const struct trace *t, const struct list *list)
{
    struct render_options options = render_options();
    struct buffer text = {0};
    struct err e = {0};

    if (t->is_json) {
        if (render_list_json(list->events, list->n_events, is_tty(), &text, &e) < 0)
            return report_error(&e);
    } else {
        render_list(list->events, list->n_events, &options, &text);
    }
    return print(&text, &e) < 0 ? report_error(&e) : EXIT_DONE;
}

static int tell_none(const struct trace *t)
{
    if (!t->words) {
        fputs("ship: no invocation failed\n", stderr);
        return EXIT_DONE;
    }
    fprintf(stderr, "ship: no message has \"%.100s\"\n", t->words);
    return EXIT_FAILED;
}

static int show_list(struct trace *t)
{
    struct list *list = calloc(1, sizeof *list);
    struct err e = {0};
    int rc;

    if (!list) {
        err_set(&e, ERR_NOMEM, "out of memory");
        return report_error(&e);
    }
    if (t->archive->ops->search(t->archive, t->words, LIST_READ, on_match, list, &e) < 0) {
        rc = report_error(&e);
    } else {
        arrange(list);
        rc = list->n_events ? print_list(t, list) : tell_none(t);
    }
    arena_free(&list->arena);
    free(list);
    return rc;
}

static int run(int argc, char **argv)
{
    struct trace t = {.where = {.flag = "--from"}};
    struct err e = {0};
    int rc = parse(&t, argc, argv);

    if (rc == 0) {
        rc = open_archive(&t, &e);
        where_hide(&t.where, t.from);
        if (rc < 0)
            rc = report_error(&e);
        else
            rc = t.id ? show_story(&t) : show_list(&t);
    }
    if (t.archive)
        t.archive->ops->close(t.archive);
    config_free(t.config);
    return rc;
}

const struct verb verb_trace = {
    .name = "trace",
    .synopsis = "trace [ID | --find WORDS] [--from WHERE] [--json] [-c FILE]\n"
                "       [--index NAME] [--user NAME:PASSWORD] [--api-key KEY] [--ca-file FILE]",
    .summary = "the story of one request, across all functions it went through",
    .help = "ID is a request id, a trace id (32 hex digits, or X-Ray's 1-...-...), or how one\n"
            "begins. The story is of the whole trace. Without an ID: the newest invocations\n"
            "that failed.\n"
            "  --find WORDS         the newest requests with all these words in a message;\n"
            "                       \"a phrase\" and begin* are understood\n"
            "  --from WHERE         local:FILE, or http(s)://HOST:PORT (Elasticsearch,\n"
            "                       OpenSearch); default: the first such output of the\n"
            "                       configuration, a local one first; without a\n"
            "                       configuration local:ship.db\n"
            "  -c, --config FILE    that configuration (default /etc/ship/ship.yaml)\n"
            "  --json               the same as one JSON document, with every event\n"
            "  --index NAME         data stream (default logs-serverless.lambda-default)\n"
            "  --user NAME:PASSWORD, --api-key KEY (or SHIP_USER, SHIP_API_KEY)\n"
            "  --ca-file FILE       certificates to trust\n"
            "A line without a time of its own is shown with that of the line before it.\n"
            "Exit codes: 0 found, 1 not found or failed, 2 usage.\n",
    .run = run,
};
