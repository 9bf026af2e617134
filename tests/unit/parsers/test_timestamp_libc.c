/* Many random times, in the forms that the C library writes, held against it. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "parsers/timestamp.h"
#include "tests/fuzz/targets.h"

#define S INT64_C(1000000000)

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* The fuzz target's own comparison, over its formats: the bytes behind the first are the time. */
Test(timestamp_libc, what_strftime_writes)
{
    uint64_t x = 88172645463325252u; /* any seed does */

    for (int i = 0; i < 120000; i++) {
        uint8_t bytes[9] = {(uint8_t)(i % 12)};
        uint64_t raw = next_random(&x);

        memcpy(bytes + 1, &raw, sizeof raw);
        fuzz_timestamp(bytes, sizeof bytes);
    }
}

/* With a fraction and a zone, which strptime does not know or refuses. */
Test(timestamp_libc, fractions_and_zones)
{
    static const struct time_context nothing;
    uint64_t x = 0x9E3779B97F4A7C15u;

    for (int i = 0; i < 50000; i++) {
        time_t local = (time_t)(next_random(&x) % UINT64_C(9000000000) + 86400);
        int minutes = (int)(next_random(&x) % (2 * 14 * 60)) - 14 * 60;
        int ns = (int)(next_random(&x) % UINT64_C(1000000000));
        int64_t want = ((int64_t)local - minutes * 60) * S + ns;
        char text[80];
        struct tm tm;
        struct time_said m = {-1, 0};
        size_t n;

        gmtime_r(&local, &tm);
        n = strftime(text, sizeof text, i % 2 ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(text + n, sizeof text - n, "%c%09d%s%c%02d%s%02d", i % 3 ? '.' : ',', ns,
                 i % 5 ? "" : " ", minutes < 0 ? '-' : '+', abs(minutes) / 60, i % 7 ? ":" : "",
                 abs(minutes) % 60);
        cr_assert(timestamp_read(&nothing, slice_str(text), &m), "%s", text);
        cr_assert_eq(m.ns, want, "%s: %lld", text, (long long)m.ns);
    }
}
