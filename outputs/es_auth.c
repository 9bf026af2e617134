#include <string.h>

#include "outputs/es_auth.h"
#include "shipper/base/buffer.h"

char *es_api_key_header(const char *key)
{
    struct buffer header = {0};

    buffer_add_lit(&header, "Authorization: ApiKey ");
    if (strchr(key, ':'))
        buffer_add_base64(&header, slice_str(key));
    else
        buffer_add_slice(&header, slice_str(key));
    buffer_add_char(&header, '\0');
    if (header.failed)
        buffer_free(&header);
    return header.ptr;
}
