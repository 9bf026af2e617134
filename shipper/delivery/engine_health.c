/* The output as a whole: does it take what it is sent, and what is said of it. */
#include <stdio.h>
#include <string.h>

#include "shipper/base/plural.h"
#include "shipper/delivery/engine_output.h"
#include "shipper/delivery/retry.h"
#include "shipper/observe/log.h"

void engine_log_trouble(const struct output *o, enum log_level level, const struct err *why)
{
    if (o->engine->options.log)
        log_err(o->engine->options.log, level, why);
}

const char *engine_where(const struct output *o)
{
    return o->conf.ops->where(o->conf.sink);
}

int64_t engine_jittered(const struct output *o, unsigned failures, int64_t retry_after_ms)
{
    const struct retry_options *r = &o->engine->options.retry;

    return retry_delay_ms(failures, r->initial_ms, r->max_ms, retry_after_ms,
                          o->engine->options.random(o->engine->options.random_ctx));
}

/* A one-shot run does not wait for somebody to mend what holds: it ends, and says why itself. */
bool engine_gives_up_on_hold(struct output *o, const struct err *why)
{
    if (!o->engine->options.retry.give_up_on_hold)
        return false;
    o->trouble = *why;
    o->state = ENGINE_GAVE_UP;
    return true;
}

/* When it begins to fail, and when it is for another reason. A sink at its limit refuses now and
 * then: that fills no log, unless it lasts. */
static bool is_news(const struct output *o, const struct err *why)
{
    return strcmp(o->told_trouble, why->what) != 0 ||
           (!o->is_trouble_told && o->now_ms - o->told_trouble_ms >= ENGINE_TELL_EVERY_MS);
}

static void tell_back_off(struct output *o, const struct err *why, bool is_hold, int64_t delay_ms)
{
    unsigned long long kept = o->stats.in_flight_events;
    struct err told = *why;
    char tail[160];

    if (!is_news(o, why))
        return;
    snprintf(o->told_trouble, sizeof o->told_trouble, "%s", why->what);
    o->told_trouble_ms = o->now_ms;
    o->is_trouble_told = true;
    snprintf(tail, sizeof tail, "; keeping %llu event%s, try %u in %.1f s", kept, plural_s(kept),
             o->failures + 1, (double)delay_ms / 1000);
    strncat(told.what, tail, sizeof told.what - strlen(told.what) - 1);
    engine_log_trouble(o, is_hold ? LOG_ERROR : LOG_WARN, &told);
}

/* Several requests that were under way when it began to fail are one failure, told once. */
static bool is_told_already(const struct output *o, const struct batch *b,
                            const struct sink_reply *reply, bool is_hold)
{
    return b->sent_after < o->failures && is_hold == o->is_holding && reply->retry_after_ms <= 0;
}

/* It did not take a batch: wait before the next request. */
void engine_back_off(struct output *o, const struct batch *b, const struct sink_reply *reply,
                     bool is_hold)
{
    const struct retry_options *r = &o->engine->options.retry;
    int64_t delay_ms;

    o->stats.failures++;
    o->was_reached |= reply->was_reached;
    if (is_told_already(o, b, reply, is_hold))
        return;
    o->failures++;
    o->has_pending_fail = true;
    delay_ms = is_hold ? r->hold_ms : engine_jittered(o, o->failures, reply->retry_after_ms);
    if (delay_ms > o->pending_delay)
        o->pending_delay = delay_ms;
    if (!is_hold || !engine_gives_up_on_hold(o, &reply->why))
        tell_back_off(o, &reply->why, is_hold, delay_ms);
    o->trouble = reply->why;
    o->is_holding = is_hold;
}

void engine_note_good(struct output *o)
{
    if (o->failures && o->is_trouble_told && o->engine->options.log)
        log_line(o->engine->options.log, LOG_INFO, "%s: answering again after %u failed %s",
                 engine_where(o), o->failures, o->failures == 1 ? "try" : "tries");
    o->is_trouble_told = false;
    o->failures = 0;
    o->failing_since_ms = 0;
    o->has_pending_fail = false;
    o->was_reached = true;
    o->is_holding = false;
    o->pending_delay = -1;
    o->not_before_ms = 0;
}
