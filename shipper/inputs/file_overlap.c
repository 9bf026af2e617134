/* Two file inputs over the same files: each would send every line, and the positions of both would
 * go into the same rows. */
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"

/* The patterns of one input. */
struct side {
    const struct file_options *options;
    char **paths;
    char **excludes;
};

struct search {
    const struct side *other;
    const struct side *own;
    struct buffer *path; /* of the first file that both have */
};

static bool is_excluded(const struct side *s, const char *path)
{
    for (size_t i = 0; s->excludes[i]; i++)
        if (glob_excludes(s->excludes[i], path))
            return true;
    return false;
}

static bool has_file(const struct side *s, const char *path)
{
    bool is_match = false;

    for (size_t i = 0; s->paths[i] && !is_match; i++)
        is_match = glob_match(s->paths[i], path);
    return is_match && !is_excluded(s, path);
}

static void on_match(void *ctx, const char *path, enum file_type hint)
{
    struct search *s = ctx;

    if (s->path->len == 0 && hint != FILE_DIRECTORY && !is_excluded(s->own, path) &&
        has_file(s->other, path))
        buffer_add_slice(s->path, slice_str(path));
}

/* What is named as it is need not be there. */
static void search_one(struct search *s, const struct files *files, const char *pattern)
{
    struct glob_walk walk = {.files = files, .on_match = on_match, .ctx = s};

    if (glob_has_wildcard(pattern))
        glob_expand(&walk, pattern);
    else
        on_match(s, pattern, FILE_REGULAR);
}

static bool is_one_pattern(const struct side *a, const struct side *b, struct buffer *path)
{
    for (size_t i = 0; a->paths[i]; i++)
        for (size_t k = 0; b->paths[k]; k++)
            if (!a->excludes[0] && !b->excludes[0] && strcmp(a->paths[i], b->paths[k]) == 0) {
                buffer_add_slice(path, slice_str(a->paths[i]));
                return true;
            }
    return false;
}

static bool side_init(struct side *s, const struct file_options *options)
{
    *s = (struct side){options, file_paths(&options->paths, false),
                       file_paths(&options->exclude, true)};
    return s->paths && s->excludes;
}

static void side_fini(struct side *s)
{
    file_paths_free(s->paths);
    file_paths_free(s->excludes);
}

bool file_overlaps(const void *one, const void *other, const struct files *files,
                   struct buffer *path)
{
    struct side a;
    struct side b;
    bool has_both = side_init(&a, one);

    has_both &= side_init(&b, other);
    if (has_both && !is_one_pattern(&a, &b, path)) {
        struct search forth = {&b, &a, path};
        struct search back = {&a, &b, path};

        for (size_t i = 0; a.paths[i] && path->len == 0; i++)
            search_one(&forth, files, a.paths[i]);
        for (size_t i = 0; b.paths[i] && path->len == 0; i++)
            search_one(&back, files, b.paths[i]);
    }
    side_fini(&a);
    side_fini(&b);
    return path->len > 0;
}
