#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/es_auth.h"

static char *base64(const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    char *out = calloc(1, (len + 2) / 3 * 4 + 1);

    for (size_t i = 0, at = 0; out && i < len; i += 3) {
        unsigned bits = (unsigned)(unsigned char)text[i] << 16;

        bits |= i + 1 < len ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (unsigned)(unsigned char)text[i + 2] : 0;
        out[at++] = alphabet[bits >> 18 & 63];
        out[at++] = alphabet[bits >> 12 & 63];
        out[at++] = i + 1 < len ? alphabet[bits >> 6 & 63] : '=';
        out[at++] = i + 2 < len ? alphabet[bits & 63] : '=';
    }
    return out;
}

char *es_api_key_header(const char *key)
{
    char *encoded = strchr(key, ':') ? base64(key) : strdup(key);
    size_t cap = encoded ? strlen(encoded) + 32 : 0;
    char *header = encoded ? malloc(cap) : NULL;

    if (header)
        snprintf(header, cap, "Authorization: ApiKey %s", encoded);
    free(encoded);
    return header;
}
