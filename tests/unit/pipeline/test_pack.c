#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/pipeline/pack.h"
#include "shipper/pipeline/pool.h"
#include "tests/support/failing_malloc.h"

static void fill(char *bytes, size_t len, bool is_random)
{
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < len; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        bytes[i] = is_random ? (char)x : "a line that repeats itself\n"[i % 27];
    }
}

/* Of every size around the compressor's own blocks; what does not shrink too. */
Test(pack, there_and_back, .timeout = 300)
{
    static const size_t sizes[] = {0,     1,     2,      100,    4096,   32767,   32768,  32769,
                                   65535, 65536, 131072, 262144, 262145, 1000000, 5000001};
    struct worker w = {0};
    char *bytes = malloc(5000001);

    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        size_t len = sizes[i / 2];
        struct buffer packed = {0};
        struct buffer back = {0};

        fill(bytes, len, i % 2);
        buffer_add_lit(&back, "before");
        cr_assert(pack_bytes(&w, slice_of(bytes, len), &packed), "%zu bytes", len);
        cr_expect_eq(packed.cap, packed.len, "no more room than it needs");
        cr_expect(unpack_bytes(buffer_slice(&packed), len, &back), "%zu bytes", len);
        cr_expect_eq(back.len, 6 + len);
        cr_expect(len == 0 || memcmp(back.ptr + 6, bytes, len) == 0, "%zu bytes", len);
        cr_expect_not(unpack_bytes(buffer_slice(&packed), len + 1, &back), "another length");
        cr_expect(len == 0 || !unpack_bytes(buffer_slice(&packed), len - 1, &back));
        cr_expect_eq(back.len, 6 + len, "as it was");
        buffer_free(&packed);
        buffer_free(&back);
    }
    free(bytes);
    worker_fini(&w);
}

/* No damaged byte goes unnoticed, no cut. */
Test(pack, damage, .timeout = 300)
{
    struct worker w = {0};
    struct buffer packed = {0};
    struct buffer back = {0};
    char bytes[3000];

    fill(bytes, sizeof bytes, false);
    fill(bytes, 500, true);
    cr_assert(pack_bytes(&w, slice_of(bytes, sizeof bytes), &packed));
    for (size_t i = 10; i < packed.len; i++) { /* behind the header, which says little */
        packed.ptr[i] ^= 0x10;
        cr_expect_not(unpack_bytes(buffer_slice(&packed), sizeof bytes, &back), "byte %zu of %zu",
                      i, packed.len);
        packed.ptr[i] ^= 0x10;
        cr_expect_not(unpack_bytes(slice_of(packed.ptr, i), sizeof bytes, &back),
                      "cut to %zu of %zu", i, packed.len);
    }
    cr_expect(unpack_bytes(buffer_slice(&packed), sizeof bytes, &back));
    buffer_free(&packed);
    buffer_free(&back);
    worker_fini(&w);
}

Test(pack, memory_that_runs_out)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        struct worker w = {0};
        struct buffer packed = {0};
        struct buffer back = {0};
        bool is_packed;
        bool is_back;

        failing_malloc_at(n);
        is_packed = pack_bytes(&w, slice_str("some text"), &packed);
        is_back = is_packed && unpack_bytes(buffer_slice(&packed), 9, &back);
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        cr_expect_eq(is_back, !has_failed, "allocation %u", n);
        cr_expect(is_packed || !packed.ptr);
        buffer_free(&packed);
        cr_expect(pack_bytes(&w, slice_str("and again"), &packed), "the worker is as good as new");
        buffer_free(&packed);
        buffer_free(&back);
        worker_fini(&w);
    }
}
