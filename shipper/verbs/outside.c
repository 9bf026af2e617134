#include "shipper/verbs/outside.h"

#include <stdlib.h>
#include <string.h>

#include "shipper/base/clock.h"
#include "shipper/observe/log.h"
#include "shipper/observe/status_pages.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/state.h"

/* The agent's counters and those of all before it. False: out of memory. */
static bool look(const struct outside *o, struct snapshot *out)
{
    if (!agent_snapshot(o->agent, out))
        return false;
    snapshot_carry(out, &o->before);
    out->start_s = o->start_s;
    out->reloads_good = o->reloads_good;
    out->reloads_bad = o->reloads_bad;
    return true;
}

static void on_ask(void *ctx, const char *path, struct status_answer *answer)
{
    const struct outside *o = ctx;
    struct snapshot s;

    if (!o->agent || !look(o, &s)) {
        answer->status = 503;
        return;
    }
    process_look(&s.process);
    status_page(path, &s, answer);
    snapshot_free(&s);
}

void outside_init(struct outside *o, struct ev_loop *loop, struct log *log)
{
    int64_t now_ms = clock_wall_ns(&clock_real) / 1000000;

    *o = (struct outside){.loop = loop, .log = log, .start_s = (double)now_ms / 1000};
}

/* --- the server --- */

/* NULL: out of memory. */
static char *address_of(const struct global_options *global)
{
    char *state = state_directory(global->state, false);
    char *text = state ? state_status_address(global->status_listen, state) : NULL;

    free(state);
    return text;
}

static void close_server(struct outside *o)
{
    status_server_free(o->server);
    free(o->listens);
    o->server = NULL;
    o->listens = NULL;
}

static void open_server(struct outside *o, const char *text)
{
    struct status_address address;
    struct err e = {0};

    if (status_address_parse(text, &address, &e) == 0) {
        if (address.kind == STATUS_NONE)
            return;
        o->server = status_server_new(&address, on_ask, o, &e);
    }
    if (o->server) {
        log_line(o->log, LOG_INFO, "metrics, healthz and readyz at %s",
                 status_server_where(o->server));
        if (!status_address_is_local(&address))
            log_line(o->log, LOG_WARN, "everybody who reaches this machine may read %s",
                     status_server_where(o->server));
        return;
    }
    strncat(e.what, "; going on without metrics", sizeof e.what - strlen(e.what) - 1);
    err_at(&e, "status.listen %.100s", text);
    log_err(o->log, LOG_ERROR, &e);
}

void outside_show(struct outside *o, const struct agent *a, const struct global_options *global)
{
    char *text = address_of(global);

    o->agent = a;
    if (o->listens && text && strcmp(o->listens, text) != 0)
        close_server(o);
    if (!o->server && text)
        open_server(o, text);
    free(o->listens);
    o->listens = text;
    if (o->server)
        status_server_start(o->server, o->loop);
}

void outside_keep(struct outside *o)
{
    struct snapshot now;

    if (o->server)
        status_server_stop(o->server);
    if (look(o, &now)) {
        snapshot_free(&o->before);
        o->before = now;
    }
    o->agent = NULL;
}

void outside_fini(struct outside *o)
{
    close_server(o);
    snapshot_free(&o->before);
}
