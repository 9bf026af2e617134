#define _DEFAULT_SOURCE /* flock */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "shipper/base/path.h"
#include "shipper/delivery/letter_files.h"

static int fail(const char *path, struct err *e)
{
    err_set(e, ERR_STORE, "%s", strerror(errno));
    return err_at(e, "%s", path);
}

static int out_of_memory(struct err *e)
{
    return err_set(e, ERR_NOMEM, "out of memory");
}

/* --- names ----------------------------------------------------------------------------------- */

static bool is_letter_file(const char *name)
{
    struct slice s = slice_str(name);

    return strcmp(name, LETTER_FILE) == 0 ||
           (slice_starts(s, slice_str("dead-")) && slice_ends(s, slice_str(".ndjson")));
}

/* By name, that is by time; '.' would sort behind '-'. */
static int by_age(const void *a, const void *b)
{
    const char *x = *(char *const *)a;
    const char *y = *(char *const *)b;
    bool x_is_last = slice_ends(slice_str(x), slice_str("/" LETTER_FILE));
    bool y_is_last = slice_ends(slice_str(y), slice_str("/" LETTER_FILE));

    return x_is_last != y_is_last ? x_is_last - y_is_last : strcmp(x, y);
}

static bool add_path(struct letter_files *f, const char *directory, const char *name)
{
    char **grown = realloc(f->paths, (f->n + 1) * sizeof *grown);

    if (!grown)
        return false;
    f->paths = grown;
    grown[f->n] = path_join(directory, name);
    return grown[f->n] && ++f->n;
}

int letter_files_list(const char *directory, struct letter_files *out, struct err *e)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    int rc = 0;

    *out = (struct letter_files){0};
    if (!dir)
        return errno == ENOENT ? 0 : fail(directory, e);
    while (rc == 0 && (entry = readdir(dir)))
        if (is_letter_file(entry->d_name) && !add_path(out, directory, entry->d_name))
            rc = out_of_memory(e);
    closedir(dir);
    if (out->n)
        qsort(out->paths, out->n, sizeof *out->paths, by_age);
    return rc;
}

void letter_files_free(struct letter_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->paths[i]);
    free(f->paths);
    *f = (struct letter_files){0};
}

/* --- the lock -------------------------------------------------------------------------------- */

int letter_files_lock(const char *directory, struct err *e)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail(directory, e);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        err_set(e, ERR_BUSY, "another `ship dead` is at work on these letters");
    else
        err_set(e, ERR_STORE, "%s", strerror(errno));
    close(fd);
    return err_at(e, "%s", directory);
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_lines(FILE *in, bool with_open_line, letter_line_fn *fn, void *ctx)
{
    char *text = NULL;
    size_t cap = 0;
    uint64_t offset = 0;
    ssize_t len;

    while ((len = getline(&text, &cap, in)) > 0) {
        struct slice line = slice_of(text, (size_t)len);

        if (text[len - 1] == '\n')
            line.len--;
        else if (!with_open_line)
            break;
        if (line.len)
            fn(ctx, offset, line, NULL);
        offset += (uint64_t)len;
    }
    free(text);
    return ferror(in) ? -1 : 0;
}

int letter_file_each(const char *path, bool with_open_line, letter_line_fn *fn, void *ctx,
                     struct err *e)
{
    FILE *in = fopen(path, "re");
    int rc;

    if (!in)
        return errno == ENOENT ? 0 : fail(path, e); /* put aside, or dropped, since it was listed */
    rc = read_lines(in, with_open_line, fn, ctx) < 0 ? fail(path, e) : 0;
    fclose(in);
    return rc;
}
