#include "shipper/delivery/concurrency.h"

void concurrency_init(struct concurrency *c, unsigned ceiling)
{
    *c = (struct concurrency){.ceiling = ceiling, .limit = ceiling, .lessened_ms = INT64_MIN};
}

unsigned concurrency_limit(const struct concurrency *c)
{
    return (unsigned)c->limit;
}

static double usual_ms(const struct concurrency_answer *a)
{
    double took_ms = (double)(a->now_ms - a->sent_ms);
    double times = (double)a->bytes / CONCURRENCY_BYTES;

    took_ms = took_ms > 1 ? took_ms : 1;
    return times > 1 ? took_ms / times : took_ms;
}

static void turn_span(struct concurrency *c, int64_t now_ms)
{
    int64_t age_ms = now_ms - c->span_ms;

    if (age_ms < CONCURRENCY_SPAN_MS)
        return;
    c->quickest[1] = age_ms < 2 * CONCURRENCY_SPAN_MS ? c->quickest[0] : 0;
    c->quickest[0] = 0;
    c->span_ms = now_ms;
}

static double quickest_ms(const struct concurrency *c)
{
    double present = c->quickest[0];
    double last = c->quickest[1];

    return last > 0 && (present <= 0 || last < present) ? last : present;
}

/* Notes how long it took, and says whether that is far longer than of late. */
static bool is_slow(struct concurrency *c, const struct concurrency_answer *a)
{
    double took_ms = usual_ms(a);
    double before_ms;

    turn_span(c, a->now_ms);
    before_ms = quickest_ms(c);
    if (c->quickest[0] <= 0 || took_ms < c->quickest[0])
        c->quickest[0] = took_ms;
    return before_ms > 0 && a->now_ms - a->sent_ms > CONCURRENCY_SLOW_MS &&
           took_ms > CONCURRENCY_SLOW_TIMES * before_ms;
}

static void lessen(struct concurrency *c, const struct concurrency_answer *a)
{
    if (a->sent_ms <= c->lessened_ms)
        return;
    c->limit = c->limit > 2 ? c->limit / 2 : 1;
    c->lessened_ms = a->now_ms;
}

void concurrency_answered(struct concurrency *c, const struct concurrency_answer *a)
{
    if (a->is_refusal || is_slow(c, a)) {
        lessen(c, a);
        return;
    }
    c->limit += 1 / c->limit;
    if (c->limit > c->ceiling)
        c->limit = c->ceiling;
}
