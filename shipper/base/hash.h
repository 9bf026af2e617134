/* The hashes ship uses: XXH3 (xxHash 0.8), 64 and 128 bits, well mixed, not cryptographic.
 *
 * Thread: any; a struct hasher belongs to one caller. */
#ifndef SHIP_BASE_HASH_H
#define SHIP_BASE_HASH_H

#include <stdint.h>

#include "shipper/base/slice.h"

struct hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t hash64(struct slice bytes);

/* One hash over two runs: the bytes, under a 128-bit key that stands for all that came before. */
struct hash128 hash128_keyed(struct slice bytes, const struct hash128 *key);

enum { HASH_TEXT_LEN = 22 };
/* 22 characters of base64url without padding (RFC 4648 section 5), big-endian, no NUL. */
void hash128_text(const struct hash128 *h, char out[HASH_TEXT_LEN]);

#endif
