/* The body of a _bulk request as it arrives: inflated, its events counted, its lines looked at.
 *
 * Owner:  the caller's storage; bulk_body_free gives back what is inside. Memory is bounded by the
 *         longest line, and with verification by the number of ids.
 * Thread: one. */
#ifndef TESTS_BENCH_BULK_BODY_H
#define TESTS_BENCH_BULK_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <isa-l/igzip_lib.h>

/* What all bodies came to. */
struct bulk_totals {
    uint64_t wire_bytes;  /* as they came */
    uint64_t plain_bytes; /* inflated */
    uint64_t bad_lines;   /* not what a _bulk body has there; bodies that are no gzip */
    uint64_t repeated;    /* with an _id that was there before */
    bool verifies;        /* look at every line; else only count */
    uint64_t *ids;        /* a hash set of them; 0 is empty */
    size_t n_ids, ids_cap;
};

struct bulk_body {
    bool is_gzip;
    bool is_first;  /* nothing has come yet */
    bool is_create; /* what its first action is, for the answer */
    uint64_t n_newlines;
    char *line; /* verifying: the line that is not whole yet */
    size_t line_len;
    struct inflate_state inflate;
};

void bulk_body_begin(struct bulk_body *b, bool is_gzip);
void bulk_body_add(struct bulk_body *b, struct bulk_totals *t, const char *bytes, size_t len);
/* How many events it held. */
uint64_t bulk_body_end(struct bulk_body *b, struct bulk_totals *t);
void bulk_body_free(struct bulk_body *b);

/* realloc that ends the program when memory is out. */
void *bulk_grow(void *ptr, size_t size);

#endif
