#include <math.h>

#include "shipper/pipeline/outcome.h"

static void note_error(struct invocation *inv, struct slice type)
{
    size_t len = type.len < sizeof inv->error_type - 1 ? type.len : sizeof inv->error_type - 1;

    if (inv->error_type[0] || !len)
        return;
    memcpy(inv->error_type, type.ptr, len);
    inv->error_type[len] = '\0';
}

void outcome_note_line(struct invocation *inv, const struct record *r)
{
    if (r->kind == RECORD_TIMEOUT)
        inv->outcome = OUTCOME_TIMEOUT;
    else if (r->kind == RECORD_EXIT || r->flags & RECORD_UNHANDLED)
        inv->was_unhandled = true;
    /* platform.runtimeDone says how it went before the report does. */
    if (r->kind == RECORD_RUNTIME_DONE) {
        if (slice_is(r->report.status, "timeout"))
            inv->outcome = OUTCOME_TIMEOUT;
        else if (r->report.status.len && !slice_is(r->report.status, "success"))
            inv->was_unhandled = true;
        note_error(inv, r->report.error_type);
    }
}

/* The platform kills at the limit and reports the memory it gave: used equals size. */
static bool used_all_memory(const struct report *r)
{
    return !isnan(r->memory_mb) && !isnan(r->max_memory_mb) && r->memory_mb > 0 &&
           r->max_memory_mb >= r->memory_mb;
}

void outcome_decide(struct invocation *inv, const struct record *last)
{
    struct slice status = last->kind == RECORD_REPORT ? last->report.status : (struct slice){0};
    struct slice type = last->kind == RECORD_REPORT ? last->report.error_type : (struct slice){0};
    bool has_failed = inv->was_unhandled;

    if (slice_is(status, "timeout"))
        inv->outcome = OUTCOME_TIMEOUT;
    else if (slice_is(status, "error") || slice_is(status, "failure"))
        has_failed = true;
    if (slice_is(type, "Runtime.OutOfMemory"))
        inv->outcome = OUTCOME_OOM;
    else if ((has_failed || inv->outcome == OUTCOME_TIMEOUT) && used_all_memory(&inv->report))
        inv->outcome = OUTCOME_OOM;
    else if (inv->outcome != OUTCOME_TIMEOUT && inv->outcome != OUTCOME_OOM)
        inv->outcome = has_failed                                         ? OUTCOME_ERROR
                       : inv->is_doubtful && !slice_is(status, "success") ? OUTCOME_UNKNOWN
                                                                          : OUTCOME_SUCCESS;
    note_error(inv, type);
    if (inv->outcome == OUTCOME_TIMEOUT)
        note_error(inv, slice_str("Sandbox.Timedout"));
    if (inv->outcome == OUTCOME_OOM)
        note_error(inv, slice_str("Runtime.OutOfMemory"));
}
