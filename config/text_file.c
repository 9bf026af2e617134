#define _DEFAULT_SOURCE /* explicit_bzero */
#include "config/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BITE = 16 * 1024 };

void text_wipe(struct buffer *b)
{
    if (b->ptr)
        explicit_bzero(b->ptr, b->cap);
    buffer_free(b);
}

static int read_all(int fd, size_t max_bytes, struct buffer *out, struct err *e)
{
    size_t from = out->len;

    for (;;) {
        ssize_t n;

        if (!buffer_reserve(out, BITE))
            return err_set(e, ERR_NOMEM, "out of memory");
        n = read(fd, out->ptr + out->len, BITE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_CONFIG, "%s",
                           errno == EISDIR ? "is a directory; want a file" : strerror(errno));
        if (n == 0)
            return 0;
        out->len += (size_t)n;
        if (out->len - from > max_bytes)
            return err_set(e, ERR_CONFIG, "is longer than %zu KiB", max_bytes / 1024);
    }
}

int text_file_read(const char *path, size_t max_bytes, struct buffer *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc;

    if (fd < 0)
        return err_set(e, ERR_CONFIG, "%s", strerror(errno));
    rc = read_all(fd, max_bytes, out, e);
    close(fd);
    return rc;
}
