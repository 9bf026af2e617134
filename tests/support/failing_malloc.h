/* A malloc that fails on demand: in ship's own code and in the tests', not inside libraries.
 *
 * The test binary is linked with --wrap for malloc, calloc and realloc.
 * Thread: any; the count is shared by all. */
#ifndef SHIP_TESTS_SUPPORT_FAILING_MALLOC_H
#define SHIP_TESTS_SUPPORT_FAILING_MALLOC_H

#include <stdbool.h>

/* The nth allocation from now on fails (1: the next), once. 0: none does. */
void failing_malloc_at(unsigned n);
/* How many allocations there were since the program began. */
unsigned failing_malloc_count(void);
/* The one that was asked for has failed. */
bool failing_malloc_has_failed(void);
/* Nothing fails until failing_malloc_resume gets what this returned: for the test's own needs. */
unsigned failing_malloc_suspend(void);
void failing_malloc_resume(unsigned n);

#endif
