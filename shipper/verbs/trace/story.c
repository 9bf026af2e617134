#include <math.h>
#include <stdlib.h>

#include "shipper/verbs/trace/story.h"
#include "shipper/verbs/trace/story_errors.h"

static const int64_t ns_per_ms = 1000000;

/* Room for one more of `size` bytes in *items; false when memory is out. */
static bool make_room(void *items, size_t n, size_t *cap, size_t size)
{
    size_t want = *cap ? *cap * 2 : 64;
    void *grown;

    if (n < *cap)
        return true;
    memcpy(&grown, items, sizeof grown);
    grown = realloc(grown, want * size);
    if (!grown)
        return false;
    memcpy(items, &grown, sizeof grown);
    *cap = want;
    return true;
}

static void add_invocation(struct story *s, const struct story_invocation *inv)
{
    if (!make_room(&s->invocations, s->n_invocations, &s->invocations_cap, sizeof *inv)) {
        s->failed = true;
        return;
    }
    s->invocations[s->n_invocations++] = *inv;
}

void story_add(struct story *s, struct slice document)
{
    struct story_invocation summary;
    struct story_event event;

    if (!story_read(&s->arena, document, &event, &summary))
        return;
    if (slice_is(event.action, "invocation")) {
        add_invocation(s, &summary);
    } else if (make_room(&s->events, s->n_events, &s->events_cap, sizeof event)) {
        s->events[s->n_events++] = event;
    } else {
        s->failed = true;
    }
    if (!s->trace.len)
        s->trace = event.trace;
}

bool story_is_line(const struct story_event *event)
{
    return !event->action.len || slice_is(event->action, "timeout") ||
           slice_is(event->action, "exit");
}

/* --- whose is an event? --- */

static bool is_within(const struct story_event *event, const struct story_invocation *inv)
{
    if (slice_eq(event->path, inv->path) && inv->path.len)
        return event->offset <= inv->report_offset;
    return event->time_ns <= inv->end_ns;
}

/* The first run of its request that had not ended when it was written; else the last one. */
static int owner_of(const struct story *s, const struct story_event *event)
{
    int owner = -1;

    for (size_t i = 0; i < s->n_invocations; i++) {
        const struct story_invocation *inv = &s->invocations[i];
        bool is_own = event->request.len ? slice_eq(event->request, inv->request)
                                         : event->init.len && slice_eq(event->init, inv->init);

        if (!is_own)
            continue;
        owner = (int)i;
        if (is_within(event, inv))
            break;
    }
    return owner;
}

/* A request whose report is not there: still at work, or cut off. */
static struct story_invocation without_report(const struct story_event *event)
{
    return (struct story_invocation){
        .request = event->request,
        .function = event->function,
        .init = event->init,
        .path = event->path,
        .report_offset = UINT64_MAX,
        .duration_ms = NAN,
        .billed_ms = NAN,
        .memory_mb = NAN,
        .used_mb = NAN,
        .init_ms = NAN,
        .coldstart = -1,
        .outcome = slice_str("unknown"),
    };
}

/* What the lines say where no report does. */
static void learn(struct story_invocation *inv, const struct story_event *event)
{
    bool is_line = story_is_line(event);

    if (!inv->function.len)
        inv->function = event->function;
    if (inv->report_offset != UINT64_MAX)
        return;
    if (!inv->init.len)
        inv->init = event->init;
    /* START's time may be that of the line before it. */
    if (is_line && event->request.len && (!inv->start_ns || event->time_ns < inv->start_ns))
        inv->start_ns = event->time_ns;
    if (event->time_ns > inv->end_ns)
        inv->end_ns = event->time_ns;
    inv->n_lines += is_line;
}

static void find_owners(struct story *s)
{
    for (size_t i = 0; i < s->n_events; i++) {
        struct story_event *event = &s->events[i];

        if (event->request.len && owner_of(s, event) < 0) {
            struct story_invocation inv = without_report(event);

            add_invocation(s, &inv);
        }
    }
    for (size_t i = 0; i < s->n_events; i++) {
        s->events[i].invocation = owner_of(s, &s->events[i]);
        if (s->events[i].invocation >= 0)
            learn(&s->invocations[s->events[i].invocation], &s->events[i]);
    }
}

/* --- times --- */

static void complete_times(struct story_invocation *inv)
{
    int64_t length = isnan(inv->duration_ms) ? 0 : llround(inv->duration_ms * (double)ns_per_ms);

    if (!inv->start_ns)
        inv->start_ns = inv->end_ns - length;
    if (inv->end_ns < inv->start_ns + length)
        inv->end_ns = inv->start_ns + length;
}

static void correct_time(struct story_event *event, const struct story_invocation *inv)
{
    int64_t earliest = inv->start_ns;

    /* The initialisation comes before the request that it was for. */
    if (!event->request.len) {
        int64_t init_ns = isnan(inv->init_ms) ? 0 : llround(inv->init_ms * (double)ns_per_ms);

        earliest -= init_ns + 1000 * ns_per_ms;
        if (event->time_ns < earliest || event->time_ns > inv->start_ns)
            event->time_ns = inv->start_ns - init_ns;
        return;
    }
    if (event->time_ns < earliest)
        event->time_ns = earliest;
}

static int by_report(const void *a, const void *b)
{
    const struct story_invocation *x = a;
    const struct story_invocation *y = b;

    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    return (x->report_offset > y->report_offset) - (x->report_offset < y->report_offset);
}

static int compare_slices(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int rc = n ? memcmp(a.ptr, b.ptr, n) : 0;

    return rc ? rc : (a.len > b.len) - (a.len < b.len);
}

/* Who began at the same time: the one that ended last called the other. */
static int by_start(const void *a, const void *b)
{
    const struct story_invocation *x = a;
    const struct story_invocation *y = b;

    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    if (x->end_ns != y->end_ns)
        return x->end_ns > y->end_ns ? -1 : 1;
    return compare_slices(x->request, y->request);
}

static int by_time(const void *a, const void *b)
{
    const struct story_event *x = a;
    const struct story_event *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->invocation != y->invocation)
        return x->invocation < y->invocation ? -1 : 1;
    if (!slice_eq(x->path, y->path))
        return compare_slices(x->path, y->path);
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return compare_slices(x->id, y->id);
}

static void sort(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n)
        qsort(items, n, size, compare);
}

static void find_ends(struct story *s)
{
    s->start_ns = INT64_MAX;
    s->end_ns = INT64_MIN;
    for (size_t i = 0; i < s->n_invocations; i++) {
        if (s->invocations[i].start_ns < s->start_ns)
            s->start_ns = s->invocations[i].start_ns;
        if (s->invocations[i].end_ns > s->end_ns)
            s->end_ns = s->invocations[i].end_ns;
    }
    for (size_t i = 0; i < s->n_events; i++) {
        const struct story_event *event = &s->events[i];

        /* The platform's own lines often have a borrowed time, and the caller did not wait for an
         * initialisation before its request. */
        if (!story_is_line(event) || (event->invocation >= 0 && !event->request.len))
            continue;
        if (event->time_ns < s->start_ns)
            s->start_ns = event->time_ns;
        if (event->time_ns > s->end_ns)
            s->end_ns = event->time_ns;
    }
    if (s->start_ns > s->end_ns)
        s->start_ns = s->end_ns = s->n_events ? s->events[0].time_ns : 0;
}

static void count(struct story *s)
{
    for (size_t i = 0; i < s->n_invocations; i++) {
        const struct story_invocation *inv = &s->invocations[i];
        bool is_new = inv->function.len;

        for (size_t k = 0; k < i && is_new; k++)
            is_new = !slice_eq(s->invocations[k].function, inv->function);
        s->n_functions += is_new;
        s->n_failed += !slice_is(inv->outcome, "success") && !slice_is(inv->outcome, "unknown");
    }
}

bool story_finish(struct story *s)
{
    sort(s->invocations, s->n_invocations, sizeof *s->invocations, by_report);
    find_owners(s);
    for (size_t i = 0; i < s->n_invocations; i++)
        complete_times(&s->invocations[i]);
    /* In their final order, so that a tie among events follows it. */
    sort(s->invocations, s->n_invocations, sizeof *s->invocations, by_start);
    for (size_t i = 0; i < s->n_events; i++) {
        struct story_event *event = &s->events[i];

        event->invocation = owner_of(s, event);
        if (event->invocation >= 0)
            correct_time(event, &s->invocations[event->invocation]);
    }
    sort(s->events, s->n_events, sizeof *s->events, by_time);
    find_ends(s);
    count(s);
    story_find_errors(s);
    return !s->failed;
}

struct slice story_outcome(const struct story *s)
{
    bool is_unknown = s->n_invocations == 0;

    for (size_t i = 0; i < s->n_invocations; i++)
        is_unknown |= slice_is(s->invocations[i].outcome, "unknown");
    return slice_str(s->n_failed ? "failure" : is_unknown ? "unknown" : "success");
}

void story_free(struct story *s)
{
    arena_free(&s->arena);
    free(s->events);
    free(s->invocations);
    free(s->errors);
    *s = (struct story){0};
}
