/* What became of the letters of one file while they were sent again, by where they begin in it.
 *
 * Owner:  the caller's storage, zeroed. What there is no memory for is not in it: such a letter
 * counts as not sent, which is harmless, since its event keeps its id. Thread: the loop's. */
#ifndef SHIP_VERBS_DEAD_LEDGER_H
#define SHIP_VERBS_DEAD_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "shipper/delivery/engine.h"
#include "shipper/delivery/letter.h"

struct ledger_entry {
    uint64_t offset;
    enum verdict verdict;
    struct letter_reason reason; /* of a rejected one */
};

struct ledger {
    struct ledger_entry *entries;
    size_t n, cap;
};

/* An engine_verdict_fn; ctx is the ledger. */
void ledger_on_verdict(void *ctx, const struct batch_item *item, enum verdict verdict,
                       const struct rejection *why);
/* Before the first ledger_find. */
void ledger_close(struct ledger *l);
/* NULL: it has no verdict. */
const struct ledger_entry *ledger_find(const struct ledger *l, uint64_t offset);
/* Empty, for another file. */
void ledger_fini(struct ledger *l);

#endif
