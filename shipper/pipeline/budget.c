#include <stddef.h>

#include "shipper/pipeline/budget.h"

void budget_init(struct budget *b, int64_t limit_bytes)
{
    budget_init_part(b, NULL, limit_bytes);
}

void budget_init_part(struct budget *b, struct budget *whole, int64_t limit_bytes)
{
    b->limit_bytes = limit_bytes;
    b->whole = whole;
    b->is_shut = b->has_refused = false;
    atomic_init(&b->held_bytes, 0);
    atomic_init(&b->peak_bytes, 0);
}

static void note_peak(struct budget *b, int64_t held)
{
    int64_t peak = atomic_load_explicit(&b->peak_bytes, memory_order_relaxed);

    while (held > peak &&
           !atomic_compare_exchange_weak_explicit(&b->peak_bytes, &peak, held, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

bool budget_try(struct budget *b, int64_t bytes)
{
    int64_t held = atomic_load_explicit(&b->held_bytes, memory_order_relaxed);

    /* Only the loop tries, and workers add at most what was tried for: no need for a loop here that
     * would starve; but a worker may add meanwhile, so the exchange must be atomic. */
    do {
        if (b->is_shut || (held > 0 && held + bytes > b->limit_bytes)) {
            b->has_refused = true;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&b->held_bytes, &held, held + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    note_peak(b, held + bytes);
    return true;
}

void budget_shut(struct budget *b, bool is_shut)
{
    b->is_shut = is_shut;
}

bool budget_has_refused(struct budget *b)
{
    bool has_refused = b->has_refused;

    b->has_refused = false;
    return has_refused;
}

void budget_add(struct budget *b, int64_t bytes)
{
    for (; b; b = b->whole) {
        int64_t held =
            atomic_fetch_add_explicit(&b->held_bytes, bytes, memory_order_relaxed) + bytes;

        if (bytes > 0)
            note_peak(b, held);
    }
}

int64_t budget_held(const struct budget *b)
{
    return atomic_load_explicit(&b->held_bytes, memory_order_relaxed);
}
