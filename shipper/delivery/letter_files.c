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

/* --- what must be on the disk ---------------------------------------------------------------- */

static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

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

/* --- reading, and making anew ---------------------------------------------------------------- */

static int read_lines(FILE *in, bool with_open_line, letter_line_fn *fn, void *ctx, FILE *to)
{
    char *text = NULL;
    size_t cap = 0;
    uint64_t offset = 0;
    ssize_t len;
    struct buffer out = {0};
    int rc = 0;

    while (rc == 0 && (len = getline(&text, &cap, in)) > 0) {
        struct slice line = slice_of(text, (size_t)len);

        if (text[len - 1] == '\n')
            line.len--;
        else if (!with_open_line)
            break;
        out.len = 0;
        if (line.len)
            fn(ctx, offset, line, to ? &out : NULL);
        offset += (uint64_t)len;
        if (out.failed)
            errno = ENOMEM;
        if (out.failed || (out.len && fwrite(out.ptr, 1, out.len, to) != out.len))
            rc = -1;
    }
    if (ferror(in))
        rc = -1;
    buffer_free(&out);
    free(text);
    return rc;
}

int letter_file_each(const char *path, bool with_open_line, letter_line_fn *fn, void *ctx,
                     struct err *e)
{
    FILE *in = fopen(path, "re");
    int rc;

    if (!in)
        return errno == ENOENT ? 0 : fail(path, e); /* put aside, or dropped, since it was listed */
    rc = read_lines(in, with_open_line, fn, ctx, NULL) < 0 ? fail(path, e) : 0;
    fclose(in);
    return rc;
}

/* The file that will take its place, on the disk. Its length in *len. -1 and errno. */
static int write_anew(FILE *in, const char *beside, letter_line_fn *fn, void *ctx, long *len)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    int rc = -1;

    if (!out) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (read_lines(in, true, fn, ctx, out) == 0 && fflush(out) == 0 && fsync(fd) == 0) {
        *len = ftell(out);
        rc = *len < 0 ? -1 : 0;
    }
    return fclose(out) == 0 ? rc : -1;
}

static char *path_beside(const char *path)
{
    struct buffer beside = {0};

    buffer_printf(&beside, "%s.new%c", path, '\0');
    if (beside.failed)
        buffer_free(&beside);
    return beside.ptr;
}

static void sync_name_of(const char *path)
{
    char *directory = strdup(path);

    if (directory) {
        *strrchr(directory, '/') = '\0';
        sync_directory(directory);
    }
    free(directory);
}

int letter_file_make_anew(const char *path, letter_line_fn *fn, void *ctx, struct err *e)
{
    char *beside = path_beside(path);
    FILE *in = beside ? fopen(path, "re") : NULL;
    long len = 0;
    int rc = -1;

    if (!beside) {
        out_of_memory(e);
        goto end;
    }
    /* One without lines goes first: killed in between, it would be left behind by itself. */
    if (!in || write_anew(in, beside, fn, ctx, &len) < 0 || (!len && unlink(beside) < 0) ||
        (len ? rename(beside, path) : unlink(path)) < 0) {
        fail(path, e);
        unlink(beside);
        goto end;
    }
    sync_name_of(path);
    rc = 0;
end:
    if (in)
        fclose(in);
    free(beside);
    return rc;
}
