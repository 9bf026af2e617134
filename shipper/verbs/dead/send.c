#include "shipper/verbs/dead/send.h"

#include <stdlib.h>
#include <unistd.h>

#include "shipper/base/clock.h"
#include "shipper/inputs/letters.h"
#include "shipper/pipeline/line.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/dead/ledger.h"

/* One file on its way. */
struct pass {
    struct ledger ledger;
    struct json_object scan;
    struct send_totals *totals;
};

static void keep(struct slice line, struct buffer *out)
{
    buffer_add_slice(out, line);
    buffer_add_char(out, '\n');
}

/* A letter, when the file is made anew. */
static void on_letter(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    struct pass *pass = ctx;
    const struct ledger_entry *entry = ledger_find(&pass->ledger, offset);
    struct letter letter;

    if (!entry) {
        pass->totals->not_sent++;
        keep(line, out);
        return;
    }
    pass->totals->delivered += entry->verdict == VERDICT_DELIVERED;
    pass->totals->duplicates += entry->verdict == VERDICT_DUPLICATE;
    if (entry->verdict != VERDICT_REJECTED)
        return;
    pass->totals->refused++;
    if (letter_read(line, &pass->scan, &letter))
        letter_renew(&pass->scan, &entry->reason, clock_wall_ns(&clock_real), out);
    else
        keep(line, out);
}

static void on_unsent(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    struct pass *pass = ctx;

    (void)offset;
    (void)line;
    (void)out;
    pass->totals->not_sent++;
}

static int close_file(struct pass *pass, const char *path, struct err *e)
{
    ledger_close(&pass->ledger);
    if (!pass->ledger.n)
        return letter_file_each(path, true, on_unsent, pass, e);
    return letter_file_make_anew(&disk_posix, path, on_letter, pass, e);
}

static int end_of(enum agent_end end, const struct agent_totals *totals, struct err *e)
{
    if (end == AGENT_GAVE_UP)
        return -1; /* *e says why */
    if (end != AGENT_DONE)
        return err_set(e, ERR_INPUT, "stopped before the end");
    return totals->errors ? err_set(e, ERR_INPUT, "not all letters could be read") : 0;
}

static int send_file(const struct send_plan *plan, const char *const *names, const char *path,
                     bool is_first, struct pass *pass, struct err *e)
{
    const struct config *c = plan->config;
    struct letters_options options = {.path = path,
                                      .outputs = plan->to_one ? NULL : names,
                                      .n_outputs = c->n_outputs,
                                      .fixes = plan->fixes,
                                      .n_fixes = plan->n_fixes};
    struct input_config input = {.ops = &input_letters, .options = &options};
    struct agent_plan agent_plan = {
        .global = &c->global,
        .inputs = &input,
        .n_inputs = 1,
        .outputs = c->outputs,
        .n_outputs = c->n_outputs,
        .is_replay = true,
        .has_told = !is_first,
        .shows_progress = isatty(STDERR_FILENO),
        .on_verdict = ledger_on_verdict,
        .verdict_ctx = &pass->ledger,
        .log = plan->log,
    };
    struct agent *a = agent_new(&agent_plan, e);
    struct agent_totals totals;
    struct err unwritten = {0};
    enum agent_end end;
    int rc;

    if (!a)
        return -1;
    end = agent_run(a, e);
    agent_totals(a, &totals);
    agent_free(a, NULL);
    rc = end_of(end, &totals, e);
    if (close_file(pass, path, &unwritten) == 0)
        return rc;
    *e = unwritten;
    return -1;
}

int send_letters(const struct send_plan *plan, const struct letter_files *files,
                 struct send_totals *totals, struct err *e)
{
    const char *names[LANES_MAX];
    struct pass pass = {.totals = totals};
    int rc = 0;

    for (size_t i = 0; i < plan->config->n_outputs && i < LANES_MAX; i++) {
        const struct output_config *o = &plan->config->outputs[i];

        names[i] = o->common.name ? o->common.name : o->ops->name;
    }
    for (size_t i = 0; i < files->n && rc == 0; i++) {
        rc = send_file(plan, names, files->paths[i], i == 0, &pass, e);
        ledger_fini(&pass.ledger);
    }
    json_object_free(&pass.scan);
    return rc;
}
