/* What `ship check` says of a file input: what its paths find now, and whether it can be read. */
#include <stdio.h>
#include <stdlib.h>

#include "shipper/base/printable.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"

enum { TELL_MAX = 5 }; /* of what cannot be read, for each path; the rest is counted */

/* One path of the configuration, as it is looked at. */
struct look {
    const struct files *files;
    char **excludes;
    bool is_literal;
    bool is_recursive;
    struct buffer *out;
    uint64_t n_files;
    uint64_t n_bytes;
    uint64_t n_troubles;
    uint64_t n_others; /* directories and the like, which are no files */
};

static void trouble(struct look *l, const char *path, const char *why)
{
    char shown[GLOB_PATH_MAX]; /* whoever writes into the directory chose the name */

    snprintf(shown, sizeof shown, "%s", path);
    if (l->n_troubles++ < TELL_MAX)
        buffer_printf(l->out, "  FAILED: cannot read %s: %s\n", make_printable(shown), why);
}

static void on_trouble(void *ctx, const struct err *e)
{
    struct look *l = ctx;

    trouble(l, e->where, e->what);
}

static bool is_excluded(const struct look *l, const char *path)
{
    for (size_t i = 0; l->excludes[i]; i++)
        if (glob_excludes(l->excludes[i], path))
            return true;
    return false;
}

static void look_at(struct look *l, const char *path)
{
    const struct files *files = l->files;
    struct file_stat st;
    struct err e = {0};
    bool missing = false;
    int fd;

    if (files->stat(files->ctx, path, &st, &missing, &e) < 0) {
        if (!missing)
            trouble(l, path, e.what);
        return;
    }
    if (st.type != FILE_REGULAR) {
        l->n_others++;
        return;
    }
    fd = files->open(files->ctx, path, &missing, &e);
    if (fd < 0) {
        trouble(l, path, e.what);
        return;
    }
    files->close(files->ctx, fd);
    l->n_files++;
    l->n_bytes += st.size;
}

static void on_match(void *ctx, const char *path, enum file_type hint)
{
    struct look *l = ctx;

    (void)hint;
    if (!is_excluded(l, path))
        look_at(l, path);
}

static void on_match_recursive(void *ctx, const char *path, enum file_type hint)
{
    struct look *l = ctx;
    struct glob_walk below = {l->files, on_match, NULL, on_trouble, l};
    struct file_stat st;
    bool missing;

    if (hint != FILE_REGULAR && l->files->stat(l->files->ctx, path, &st, &missing, NULL) == 0 &&
        st.type == FILE_DIRECTORY)
        glob_below(&below, path);
    else
        on_match(l, path, hint);
}

static void conclude_files(const struct look *l)
{
    bool is_small = l->n_bytes < 1000000;

    buffer_printf(l->out, "%llu file%s, %.1f %s\n", (unsigned long long)l->n_files,
                  l->n_files == 1 ? "" : "s", (double)l->n_bytes / (is_small ? 1e3 : 1e6),
                  is_small ? "KB" : "MB");
}

static void conclude(const struct look *l, const char *path)
{
    bool is_no_file = l->is_literal && l->n_others;

    buffer_printf(l->out, "  %s%s: ", is_no_file ? "FAILED: " : "", path);
    if (l->n_files)
        conclude_files(l);
    else if (is_no_file)
        buffer_add_lit(l->out, "is no file; for the files of a directory write DIRECTORY/*\n");
    else if (l->n_troubles)
        buffer_add_lit(l->out, "nothing that can be read\n");
    else
        buffer_add_lit(l->out, "nothing there now; it is read when it comes\n");
    if (l->n_troubles > TELL_MAX)
        buffer_printf(l->out, "  FAILED: cannot read %llu more\n",
                      (unsigned long long)(l->n_troubles - TELL_MAX));
}

/* False: something is there and cannot be read. */
static bool look_along(struct look *l, const char *path, const char *as_written)
{
    struct glob_walk walk = {l->files, l->is_recursive ? on_match_recursive : on_match, NULL,
                             on_trouble, l};

    glob_expand(&walk, path);
    conclude(l, as_written);
    return l->n_troubles == 0 && !(l->is_literal && l->n_others);
}

bool file_check(const void *opts, const struct files *files, struct buffer *out)
{
    const struct file_options *o = opts;
    char **paths = file_paths(&o->paths, false);
    char **excludes = file_paths(&o->exclude, true);
    bool is_good = paths && excludes;

    for (size_t i = 0; paths && excludes && paths[i]; i++) {
        struct look l = {.files = files,
                         .excludes = excludes,
                         .is_literal = !glob_has_wildcard(paths[i]),
                         .is_recursive = o->recursive_directories,
                         .out = out};

        is_good &= look_along(&l, paths[i], o->paths.items[i]);
    }
    file_paths_free(paths);
    file_paths_free(excludes);
    return is_good;
}
