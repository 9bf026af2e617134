/* ship run: the service. Follows, delivers, remembers; SIGHUP reloads, SIGTERM drains. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/verbs.h"
#include "shipper/verbs/where.h"

static const char default_path[] = "/etc/ship/ship.yaml";

struct service {
    const char *path;
    struct log *log;
    struct config *config;
    struct config *next;     /* read on SIGHUP, found good */
    struct config *previous; /* until the one that took its place runs */
};

/* A bad new file leaves the old one running and says why. */
static bool on_reload(void *ctx)
{
    struct service *s = ctx;
    struct err e = {0};
    struct config *next = config_load(s->path, &e);

    if (next) {
        config_free(s->next);
        s->next = next;
        log_line(s->log, LOG_INFO, "reloading %s", s->path);
        return true;
    }
    log_err(s->log, LOG_ERROR, &e);
    log_line(s->log, LOG_ERROR, "the running configuration stays as it is");
    return false;
}

static void tell_end(const struct service *s, enum agent_end end, const struct agent_totals *t)
{
    log_line(
        s->log, LOG_INFO,
        "stopped: %llu lines read, %llu events delivered, %llu duplicates, %llu dead letters%s",
        (unsigned long long)t->lines, (unsigned long long)t->delivered,
        (unsigned long long)t->duplicates, (unsigned long long)t->dead,
        end == AGENT_UNSETTLED ? "; the rest waits for the next start" : "");
}

static struct agent *start(struct service *s, struct err *e)
{
    const struct config *c = s->config;
    struct agent_plan plan = {
        .global = &c->global,
        .inputs = c->inputs,
        .n_inputs = c->n_inputs,
        .outputs = c->outputs,
        .n_outputs = c->n_outputs,
        .log = s->log,
    };
    struct agent *a = agent_new(&plan, e);

    if (a)
        agent_on_reload(a, on_reload, s);
    return a;
}

/* A new configuration can be good and still not start (a directory that cannot be made): then the
 * one before it goes on. False: there is none. */
static bool go_back(struct service *s, const struct err *why)
{
    if (!s->previous)
        return false;
    log_err(s->log, LOG_ERROR, why);
    log_line(s->log, LOG_ERROR, "the new configuration does not start; going on with the old one");
    config_free(s->config);
    s->config = s->previous;
    s->previous = NULL;
    return true;
}

static int serve(struct service *s)
{
    for (;;) {
        struct err e = {0};
        struct agent_totals totals;
        struct agent *a = start(s, &e);
        enum agent_end end;

        if (!a && go_back(s, &e))
            continue;
        if (!a)
            return report_error(&e);
        config_free(s->previous);
        s->previous = NULL;
        log_line(s->log, LOG_INFO, "ship " SHIP_VERSION " running, configuration %s", s->path);
        end = agent_run(a, &e);
        agent_totals(a, &totals);
        tell_end(s, end, &totals);
        if (end == AGENT_GAVE_UP)
            report_error(&e);
        if (agent_free(a, &e) < 0)
            report_error(&e);
        if (end != AGENT_RELOAD)
            return end == AGENT_GAVE_UP ? EXIT_FAILED : EXIT_DONE;
        s->previous = s->config;
        s->config = s->next;
        s->next = NULL;
    }
}

static int no_words(void *ctx, const char *word)
{
    (void)ctx;
    return usage_error("run", "\"%.60s\" is too much; to read files once: ship --replay %.60s",
                       where_shown(word), where_shown(word));
}

static int run(int argc, char **argv)
{
    struct service s = {.path = default_path};
    bool as_json = false;
    bool is_verbose = false;
    struct err e = {0};
    const struct arg_option options[] = {{"--config", "-c", &s.path, NULL},
                                         {"--log-json", NULL, NULL, &as_json},
                                         {"--verbose", "-v", NULL, &is_verbose}};
    int rc = args_parse("run", argc, argv, options, 3, no_words, NULL);

    if (rc)
        return rc;
    s.config = config_load(s.path, &e);
    if (!s.config)
        return report_error(&e);
    s.log = log_new(STDERR_FILENO, is_verbose ? LOG_DEBUG : LOG_INFO, as_json);
    rc = serve(&s);
    config_free(s.config);
    config_free(s.next);
    config_free(s.previous);
    log_free(s.log);
    return rc;
}

const struct verb verb_run = {
    .name = "run",
    .synopsis = "[run] [-c FILE] [--log-json] [-v]",
    .summary = "follow the configured inputs until told to stop",
    .help = "Reads FILE (default /etc/ship/ship.yaml) and runs as a service.\n"
            "  -c, --config FILE   the configuration; `ship check -c FILE` tries it first\n"
            "  --log-json          ship's own log as ECS JSON lines\n"
            "  -v, --verbose       more of it\n"
            "SIGTERM, SIGINT: read no more, deliver what is under way within limits.drain,\n"
            "stop; what is left waits for the next start.\n"
            "SIGHUP: read FILE again; a bad one changes nothing.\n",
    .run = run,
};
