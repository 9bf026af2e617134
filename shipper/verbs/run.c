/* ship run: the service. Follows, delivers, remembers; SIGHUP reloads, SIGTERM drains. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>

#include "config/config.h"
#include "shipper/base/plural.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/config_reader.h"
#include "shipper/verbs/outside.h"
#include "shipper/verbs/verbs.h"
#include "shipper/verbs/where.h"

static const char default_path[] = "/etc/ship/ship.yaml";

struct service {
    const char *path;
    struct log *log;
    struct ev_loop *loop;
    struct config_reader *reader;
    struct config *config; /* of `agent` */
    struct agent *agent;
    struct config *next_config; /* of `next` */
    struct agent *next;         /* prepared; takes over as soon as `agent` has made way */
    struct agent_totals before; /* of the agents before */
    struct outside outside;
};

static void on_hangup(void *ctx);

static struct agent_plan plan_of(struct service *s, const struct config *c)
{
    return (struct agent_plan){
        .global = &c->global,
        .inputs = c->inputs,
        .n_inputs = c->n_inputs,
        .outputs = c->outputs,
        .n_outputs = c->n_outputs,
        .on_hangup = on_hangup,
        .hangup_ctx = s,
        .loop = s->loop,
        .log = s->log,
    };
}

/* --- what fails ------------------------------------------------------------------------------ */

/* Why, and what is done now, in one line. Returns the exit code, should that be the end. */
static int tell_failure(const struct service *s, const struct err *why, const char *what_now)
{
    static const char ending[] = "; not starting"; /* as config_load says it */
    char text[sizeof why->what + sizeof why->where + 4];
    size_t len = strlen(err_text(why, text, sizeof text));
    size_t end_len = sizeof ending - 1;

    if (len >= end_len && strcmp(text + len - end_len, ending) == 0)
        text[len - end_len] = '\0';
    log_line(s->log, LOG_ERROR, "%s; %s", text, what_now);
    return why->code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int not_starting(const struct service *s, const struct err *why)
{
    return tell_failure(s, why, "not starting");
}

/* --- a reload -------------------------------------------------------------------------------- */

static void drop_next(struct service *s)
{
    agent_free(s->next, NULL);
    config_free(s->next_config);
    s->next = NULL;
    s->next_config = NULL;
}

static void refuse(struct service *s, const struct err *why, const char *what_now)
{
    s->outside.reloads_bad++;
    tell_failure(s, why, what_now);
}

/* The new file was read. A bad one, or one that does not start, changes nothing. */
static void on_config(void *ctx, struct config *config, const struct err *why)
{
    struct service *s = ctx;
    struct agent_plan plan;
    struct agent *next;
    struct err e = {0};

    if (!config) {
        refuse(s, why, "the running configuration stays as it is");
        return;
    }
    plan = plan_of(s, config);
    next = agent_prepare(&plan, (const struct agent *[AGENT_OTHERS]){s->agent, s->next}, &e);
    if (next && agent_make_way(s->agent, &plan)) {
        log_line(s->log, LOG_INFO, "reloading %s", s->path);
        drop_next(s);
        s->next = next;
        s->next_config = config;
        return;
    }
    if (!next)
        refuse(s, &e, "the new configuration does not start; going on with the old one");
    agent_free(next, NULL);
    config_free(config);
}

static void on_hangup(void *ctx)
{
    config_reader_start(((struct service *)ctx)->reader);
}

static void add_totals(struct service *s)
{
    struct agent_totals t;

    agent_totals(s->agent, &t);
    s->before.lines += t.lines;
    s->before.delivered += t.delivered;
    s->before.duplicates += t.duplicates;
    s->before.dead += t.dead;
    s->before.dropped += t.dropped;
    s->before.waiting = t.waiting;
    s->before.lost = t.lost;
}

/* It was prepared, and could not take over: the one before it, made anew, goes on. */
static int go_back(struct service *s, struct agent *failed, const struct err *why)
{
    struct agent_plan plan = plan_of(s, s->config);
    struct err e = {0};

    refuse(s, why, "the new configuration does not start; going on with the old one");
    s->agent = agent_prepare(&plan, (const struct agent *[AGENT_OTHERS]){failed}, &e);
    if (!s->agent) {
        agent_free(failed, NULL);
        return tell_failure(s, &e, "stopping");
    }
    return agent_take_over(s->agent, failed, &e) < 0 ? tell_failure(s, &e, "stopping") : 0;
}

/* The next agent takes over. 0, or the exit code. */
static int follow(struct service *s)
{
    struct agent *before = s->agent;
    struct agent *next = s->next;
    struct config *config = s->next_config;
    unsigned long long waiting;
    struct err e = {0};
    int rc = 0;

    add_totals(s);
    outside_keep(&s->outside);
    waiting = s->before.waiting;
    s->next = NULL;
    s->next_config = NULL;
    s->agent = next;
    if (agent_take_over(next, before, &e) < 0) {
        rc = go_back(s, next, &e);
        config_free(config);
    } else {
        s->outside.reloads_good++;
        config_free(s->config);
        s->config = config;
    }
    if (rc == 0) {
        outside_show(&s->outside, s->agent, &s->config->global);
        log_line(s->log, LOG_INFO,
                 "reading again after %lld ms, configuration %s; %llu %s read again",
                 (long long)agent_gap_ms(s->agent), s->path, waiting,
                 waiting == 1 ? "event that was under way is" : "events that were under way are");
    }
    return rc;
}

/* --- its life -------------------------------------------------------------------------------- */

static int tell_end(const struct service *s, enum agent_end end)
{
    const struct agent_totals *t = &s->before;
    char dropped[48] = "";
    char rest[80] = "";

    if (t->dropped)
        snprintf(dropped, sizeof dropped, ", %llu dropped", (unsigned long long)t->dropped);
    if (end == AGENT_UNSETTLED && t->waiting > t->lost)
        snprintf(rest, sizeof rest, "; %llu event%s under way wait%s for the next start",
                 (unsigned long long)(t->waiting - t->lost), plural_s(t->waiting - t->lost),
                 t->waiting - t->lost == 1 ? "s" : "");
    else if (end == AGENT_UNSETTLED && !t->lost)
        snprintf(rest, sizeof rest, "; the rest waits for the next start");
    log_line(s->log, LOG_INFO,
             "stopped: %llu line%s read, %llu event%s delivered, %llu duplicate%s, %llu dead "
             "letter%s%s%s",
             (unsigned long long)t->lines, plural_s(t->lines), (unsigned long long)t->delivered,
             plural_s(t->delivered), (unsigned long long)t->duplicates, plural_s(t->duplicates),
             (unsigned long long)t->dead, plural_s(t->dead), dropped, rest);
    if (!t->lost)
        return EXIT_DONE;
    log_line(s->log, LOG_ERROR,
             t->lost == 1
                 ? "standard input: %llu event was read and not delivered; no source has it "
                   "any more, it is lost"
                 : "standard input: %llu events were read and not delivered; no source has "
                   "them any more, they are lost",
             (unsigned long long)t->lost);
    return EXIT_FAILED;
}

static int end(struct service *s, enum agent_end how, const struct err *why)
{
    struct err e = {0};
    int rc;

    add_totals(s);
    rc = tell_end(s, how);
    if (how == AGENT_GAVE_UP)
        rc = tell_failure(s, why, "stopped");
    outside_keep(&s->outside);
    outside_fini(&s->outside); /* while the state directory is still ours */
    if (agent_free(s->agent, &e) < 0)
        log_err(s->log, LOG_ERROR, &e);
    s->agent = NULL;
    return rc;
}

static int serve(struct service *s)
{
    struct agent_plan plan = plan_of(s, s->config);
    struct err e = {0};

    s->agent = agent_new(&plan, &e);
    if (!s->agent)
        return not_starting(s, &e);
    outside_show(&s->outside, s->agent, &s->config->global);
    agent_look_around(s->agent);
    log_line(s->log, LOG_INFO, "ship " SHIP_VERSION " running, configuration %s", s->path);
    for (;;) {
        enum agent_end how = agent_run(s->agent, &e);
        int rc;

        if (how != AGENT_RELOAD)
            return end(s, how, &e);
        rc = follow(s);
        if (rc)
            return rc;
    }
}

/* All agents have the one loop, so that no event between two of them is missed. */
static int start(struct service *s)
{
    struct err e = {0};
    int rc;

    s->loop = ev_default_loop(EVFLAG_AUTO);
    if (!s->loop) {
        err_set(&e, ERR_NOMEM, "the event loop cannot be started");
        return not_starting(s, &e);
    }
    outside_init(&s->outside, s->loop, s->log);
    s->reader = config_reader_new(s->path, s->loop, on_config, s, &e);
    rc = s->reader ? serve(s) : not_starting(s, &e);
    outside_fini(&s->outside);
    drop_next(s);
    agent_free(s->agent, NULL);
    config_reader_free(s->reader);
    ev_loop_destroy(s->loop);
    return rc;
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
    rc = start(&s);
    config_free(s.config);
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
            "stop; what is left waits for the next start. Twice: stop at once.\n"
            "SIGHUP: read FILE again; one that is bad or does not start changes nothing.\n",
    .run = run,
};
