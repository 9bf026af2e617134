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
    uint64_t high = h->high;
    uint64_t low = h->low;

    /* 128 bits are 21 groups of six and one of two: the last character carries the two. */
    for (int i = 0; i < HASH_TEXT_LEN - 1; i++) {
        out[i] = alphabet[high >> 58];
        high = high << 6 | low >> 58;
        low <<= 6;
    }
    out[HASH_TEXT_LEN - 1] = alphabet[high >> 58];
}
