#include <stdatomic.h>
#include <stdlib.h>

#include "tests/support/failing_malloc.h"

/* The linker's names for what it wraps. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

static atomic_uint left; /* 0: nothing fails */
static atomic_bool has_failed;
static atomic_uint count;

void failing_malloc_at(unsigned n)
{
    atomic_store(&has_failed, false);
    atomic_store(&left, n);
}

unsigned failing_malloc_count(void)
{
    return atomic_load(&count);
}

bool failing_malloc_has_failed(void)
{
    return atomic_load(&has_failed);
}

unsigned failing_malloc_suspend(void)
{
    return atomic_exchange(&left, 0);
}

void failing_malloc_resume(unsigned n)
{
    atomic_store(&left, n);
}

static bool is_the_one(void)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&left, memory_order_relaxed) == 0 || atomic_fetch_sub(&left, 1) != 1)
        return false;
    atomic_store(&has_failed, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_the_one() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_the_one() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return is_the_one() ? NULL : __real_realloc(ptr, size);
}
