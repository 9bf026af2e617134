/* What became of each letter, found by where it begins. */
#include <criterion/criterion.h>
#include <string.h>

#include "shipper/pipeline/chunk.h"
#include "shipper/verbs/dead/ledger.h"
#include "tests/support/failing_malloc.h"

static void tell(struct ledger *l, uint64_t start, uint32_t offset, enum verdict verdict,
                 const char *type)
{
    struct chunk chunk = {.start = start};
    struct batch_item item = {.chunk = &chunk, .line_offset = offset};
    struct rejection why = {0, 400, type, "reason"};

    ledger_on_verdict(l, &item, verdict, type ? &why : NULL);
}

Test(ledger, by_where_the_letter_begins)
{
    struct ledger l = {0};

    for (uint32_t i = 1000; i-- > 0;)
        tell(&l, 5000, i * 3, i % 2 ? VERDICT_DELIVERED : VERDICT_DUPLICATE, NULL);
    tell(&l, 0, 7, VERDICT_REJECTED, "type");
    tell(&l, 0, 9, VERDICT_REJECTED, NULL);
    ledger_close(&l);
    for (uint32_t i = 0; i < 1000; i++) {
        const struct ledger_entry *entry = ledger_find(&l, 5000 + i * 3);

        cr_assert_not_null(entry);
        cr_expect_eq(entry->verdict, i % 2 ? VERDICT_DELIVERED : VERDICT_DUPLICATE);
        cr_expect_null(ledger_find(&l, 5001 + i * 3));
    }
    cr_expect_str_eq(ledger_find(&l, 7)->reason.type, "type");
    cr_expect_eq(ledger_find(&l, 7)->reason.status, 400);
    cr_expect_null(ledger_find(&l, 9)->reason.type);
    cr_expect_null(ledger_find(&l, 0));
    cr_expect_null(ledger_find(&l, UINT64_MAX));
    ledger_fini(&l);
    cr_expect_null(ledger_find(&l, 7));
}

/* Refused, sent once more because memory was out, delivered. */
Test(ledger, the_better_of_two_verdicts)
{
    struct ledger l = {0};

    tell(&l, 0, 7, VERDICT_REJECTED, "type");
    tell(&l, 0, 7, VERDICT_DUPLICATE, NULL);
    ledger_close(&l);
    cr_expect_eq(ledger_find(&l, 7)->verdict, VERDICT_DUPLICATE);
    ledger_fini(&l);
}

Test(ledger, memory_that_runs_out)
{
    struct ledger l = {0};

    failing_malloc_at(1);
    tell(&l, 0, 7, VERDICT_DELIVERED, NULL);
    failing_malloc_at(0);
    tell(&l, 0, 8, VERDICT_DELIVERED, NULL);
    ledger_close(&l);
    cr_expect_null(ledger_find(&l, 7), "it counts as not sent");
    cr_expect_not_null(ledger_find(&l, 8));
    ledger_fini(&l);
}
