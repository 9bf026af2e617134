/* A source over bytes in memory: gives as much at a time as the test says, fails where it says. */
#ifndef SHIP_TESTS_SUPPORT_MEMORY_SOURCE_H
#define SHIP_TESTS_SUPPORT_MEMORY_SOURCE_H

#include "shipper/pipeline/stream.h"

struct memory_source {
    struct source base; /* first */
    struct slice text;
    size_t bite;        /* of one read; 0: all that fits */
    size_t fails_at;    /* the read that would reach it fails, once; 0: none */
    bool is_sequential; /* each byte is given once, in order */
    size_t given;
    unsigned n_wrong; /* reads at another place than the next byte */
};

/* Borrows the text. It has reread unless it is sequential. */
void memory_source_init(struct memory_source *s, struct slice text, bool is_sequential);

#endif
