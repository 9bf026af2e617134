#include <stdlib.h>

#include "shipper/verbs/trace/story_errors.h"

static bool is_error(const struct story_event *event)
{
    return slice_is(event->level, "error") || slice_is(event->level, "fatal") ||
           slice_is(event->action, "timeout") || slice_is(event->action, "exit");
}

/* How much an event tells of why its invocation failed; 0: nothing. */
static int weight(const struct story_event *event)
{
    if (!story_is_line(event) || !is_error(event))
        return 0;
    if (event->stack.len)
        return 4;
    if (event->error_type.len || slice_is(event->action, "timeout"))
        return 3;
    return slice_is(event->action, "exit") ? 2 : 1;
}

/* The event that says it best; of equals the last, which is the one that ended the invocation. */
static const struct story_event *evidence_of(const struct story *s, int invocation)
{
    const struct story_event *best = NULL;

    for (size_t i = 0; i < s->n_events; i++) {
        const struct story_event *event = &s->events[i];

        if (event->invocation == invocation && weight(event) &&
            (!best || weight(event) >= weight(best)))
            best = event;
    }
    return best;
}

struct slice story_first_line(struct slice text)
{
    struct slice line;

    return slice_cut(&text, '\n', &line) ? line : text;
}

static struct slice or_else(struct slice a, struct slice b)
{
    return a.len ? a : b;
}

static struct story_error describe(struct story *s, int invocation, struct slice outcome)
{
    const struct story_invocation *inv = &s->invocations[invocation];
    const struct story_event *event = evidence_of(s, invocation);
    struct story_error error = {.invocation = invocation,
                                .time_ns = event ? event->time_ns : inv->end_ns,
                                .outcome = outcome,
                                .type = inv->error_type,
                                .message = inv->error_message};

    if (!event)
        return error;
    /* The summary keeps only the beginning of its texts. */
    error.type = or_else(event->error_type, error.type);
    error.message = or_else(event->error_message, story_first_line(event->message));
    error.where = stack_origin(or_else(event->stack, event->message), &s->arena);
    return error;
}

static bool has_failed(const struct story_invocation *inv)
{
    return !slice_is(inv->outcome, "success") && !slice_is(inv->outcome, "unknown");
}

/* Few rows: as they are found, each is put where its time wants it. */
static void insert(struct story *s, const struct story_error *error)
{
    size_t at = s->n_errors;

    for (; at > 0 && s->errors[at - 1].time_ns > error->time_ns; at--)
        s->errors[at] = s->errors[at - 1];
    s->errors[at] = *error;
    s->n_errors++;
}

void story_find_errors(struct story *s)
{
    if (!s->n_invocations)
        return;
    s->errors = calloc(s->n_invocations, sizeof *s->errors);
    if (!s->errors) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < s->n_invocations; i++) {
        const struct story_invocation *inv = &s->invocations[i];
        struct story_error error;

        if (s->n_failed ? !has_failed(inv) : !evidence_of(s, (int)i))
            continue;
        error = describe(s, (int)i, s->n_failed ? inv->outcome : slice_str("logged"));
        insert(s, &error);
    }
}
