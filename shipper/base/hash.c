#define XXH_INLINE_ALL
#include <xxhash.h>

#include "shipper/base/hash.h"

uint64_t hash64(struct slice bytes)
{
    return XXH3_64bits(bytes.ptr, bytes.len);
}

struct hash128 hash128_keyed(struct slice bytes, const struct hash128 *key)
{
    /* The bytes are mixed twice under different halves of the key: a collision needs both. */
    XXH128_hash_t first = XXH3_128bits_withSeed(bytes.ptr, bytes.len, key->low);
    uint64_t words[4] = {first.low64, first.high64, key->high, bytes.len};
    XXH128_hash_t mixed = XXH3_128bits_withSeed(words, sizeof words, key->low ^ key->high);

    return (struct hash128){mixed.low64, mixed.high64};
}

void hash128_text(const struct hash128 *h, char out[HASH_TEXT_LEN])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /* 128 bits are 21 groups of six and one of two: the last character carries the two. */
    for (int i = 0; i < 10; i++) {
        out[i] = alphabet[h->high >> (58 - 6 * i) & 63];
        out[11 + i] = alphabet[h->low >> (56 - 6 * i) & 63];
    }
    out[10] = alphabet[(h->high << 2 | h->low >> 62) & 63];
    out[HASH_TEXT_LEN - 1] = alphabet[h->low << 4 & 63];
}
