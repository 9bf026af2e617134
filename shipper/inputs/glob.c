#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/slice.h"
#include "shipper/inputs/glob.h"

/* --- matching -------------------------------------------------------------------------------- */

/* A set, p behind its '['. Returns the byte behind its ']' and whether c is in it; NULL if it has
 * no end: then '[' is an ordinary byte. */
static const char *match_set(const char *p, const char *end, unsigned char c, bool *is_in)
{
    bool is_negated = p < end && (*p == '!' || *p == '^');
    bool found = false;
    const char *first;

    p += is_negated;
    first = p;
    for (; p < end && (*p != ']' || p == first); p++) {
        unsigned char low = (unsigned char)*p;
        unsigned char high;

        if (low == '\\' && p + 1 < end)
            low = (unsigned char)*++p;
        high = low;
        if (p + 2 < end && p[1] == '-' && p[2] != ']') {
            p += 2;
            if (*p == '\\' && p + 1 < end)
                p++;
            high = (unsigned char)*p;
        }
        found |= low <= c && c <= high;
    }
    if (p >= end)
        return NULL;
    *is_in = found != is_negated;
    return p + 1;
}

/* One pattern item that is not '*' against one byte; NULL: it does not match. */
static const char *match_byte(const char *p, const char *end, char c)
{
    if (*p == '?')
        return p + 1;
    if (*p == '[') {
        bool is_in = false;
        const char *next = match_set(p + 1, end, (unsigned char)c, &is_in);

        if (next)
            return is_in ? next : NULL;
    }
    if (*p == '\\' && p + 1 < end)
        p++;
    return *p == c ? p + 1 : NULL;
}

/* One segment. On a mismatch only the last '*' takes one byte more: earlier ones need not be tried
 * again, which keeps this at pattern times name. */
static bool match_segment(struct slice pattern, struct slice name)
{
    const char *p = pattern.ptr;
    const char *end = p + pattern.len;
    const char *s = name.ptr;
    const char *s_end = s + name.len;
    const char *star = NULL;
    const char *star_s = NULL;

    while (s < s_end) {
        const char *next = NULL;

        if (p < end && *p == '*') {
            star = ++p;
            star_s = s;
            continue;
        }
        if (p < end)
            next = match_byte(p, end, *s);
        if (next) {
            p = next;
            s++;
        } else if (star) {
            p = star;
            s = ++star_s;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

static bool is_hidden_from(struct slice pattern, struct slice name)
{
    bool asks =
        pattern.len && (pattern.ptr[0] == '.' ||
                        (pattern.len > 1 && pattern.ptr[0] == '\\' && pattern.ptr[1] == '.'));

    return name.len && name.ptr[0] == '.' && !asks;
}

static bool match_name(struct slice pattern, struct slice name)
{
    return !is_hidden_from(pattern, name) && match_segment(pattern, name);
}

/* Cuts the segment before the next slash off *rest; several slashes count as one. False at the end.
 */
static bool next_segment(const char **rest, struct slice *segment)
{
    const char *p = *rest;
    size_t len;

    while (*p == '/')
        p++;
    len = strcspn(p, "/");
    *segment = slice_of(p, len);
    *rest = p + len;
    return len > 0;
}

bool glob_match(const char *pattern, const char *path)
{
    const char *p = pattern;
    const char *s = path;
    const char *star = NULL; /* behind the last ** */
    const char *star_s = NULL;
    struct slice name;

    if ((*pattern == '/') != (*path == '/'))
        return false;
    for (;;) {
        const char *p_next = p;
        const char *s_next = s;
        struct slice segment;
        bool has_segment = next_segment(&p_next, &segment);
        bool has_name;

        if (has_segment && slice_is(segment, "**")) {
            star = p = p_next;
            star_s = s;
            continue;
        }
        has_name = next_segment(&s_next, &name);
        if (!has_segment && !has_name)
            return true;
        if (has_segment && has_name && match_name(segment, name)) {
            p = p_next;
            s = s_next;
            continue;
        }
        /* The last ** takes one directory more, hidden ones excepted. */
        if (!star || !next_segment(&star_s, &name) || name.ptr[0] == '.')
            return false;
        p = star;
        s = star_s;
    }
}

bool glob_excludes(const char *pattern, const char *path)
{
    const char *last = strrchr(path, '/');

    if (strchr(pattern, '/'))
        return glob_match(pattern, path);
    return match_segment(slice_str(pattern), slice_str(last ? last + 1 : path));
}

static bool has_wildcard(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '*' || s.ptr[i] == '?' || s.ptr[i] == '[')
            return true;
        i += s.ptr[i] == '\\';
    }
    return false;
}

bool glob_has_wildcard(const char *pattern)
{
    return has_wildcard(slice_str(pattern));
}

int glob_check(const char *pattern, struct err *e)
{
    const char *end = pattern + strlen(pattern);

    if (!*pattern)
        return err_set(e, ERR_CONFIG, "the path is empty");
    if (end - pattern >= GLOB_PATH_MAX)
        return err_set(e, ERR_CONFIG, "the path is longer than %d bytes", GLOB_PATH_MAX - 1);
    for (const char *p = pattern; p < end; p++) {
        bool is_in;

        if (*p == '\\') {
            if (++p == end)
                return err_set(e, ERR_CONFIG, "\"%s\": nothing follows the backslash", pattern);
            continue;
        }
        if (*p != '[')
            continue;
        p = match_set(p + 1, p + strcspn(p, "/"), 0, &is_in);
        if (!p)
            return err_set(e, ERR_CONFIG, "\"%s\": \"[\" has no \"]\"; write \"\\[\" for the byte",
                           pattern);
        p--;
    }
    return 0;
}

/* --- expansion ------------------------------------------------------------------------------- */

/* Directories that a ** has entered, so that links cannot lead round in circles. */
struct visited {
    struct place {
        uint64_t device;
        uint64_t inode;
        const char *segment; /* which ** of the pattern */
    } * places;
    size_t n_places;
    size_t cap; /* a power of two, or 0 */
};

struct walker {
    const struct glob_walk *walk;
    struct visited visited;
    char path[GLOB_PATH_MAX];
    size_t len;
    unsigned depth;
};

static void walk_pattern(struct walker *w, const char *pattern, enum file_type hint);

static size_t place_slot(const struct visited *v, const struct place *p)
{
    uint64_t h = (p->inode ^ p->device << 32 ^ (uintptr_t)p->segment) * 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(h >> 20) & (v->cap - 1);

    while (v->places[i].segment &&
           (v->places[i].inode != p->inode || v->places[i].device != p->device ||
            v->places[i].segment != p->segment))
        i = (i + 1) & (v->cap - 1);
    return i;
}

static bool visited_grow(struct visited *v)
{
    struct visited bigger = {.cap = v->cap ? v->cap * 2 : 64, .n_places = v->n_places};

    bigger.places = calloc(bigger.cap, sizeof *bigger.places);
    if (!bigger.places)
        return false;
    for (size_t i = 0; i < v->cap; i++)
        if (v->places[i].segment)
            bigger.places[place_slot(&bigger, &v->places[i])] = v->places[i];
    free(v->places);
    *v = bigger;
    return true;
}

/* True the first time. Out of memory: false, the directory is not entered. */
static bool visit(struct visited *v, const struct file_stat *st, const char *segment)
{
    struct place place = {st->device, st->inode, segment};
    size_t i;

    if ((v->n_places + 1) * 2 > v->cap && !visited_grow(v))
        return false;
    i = place_slot(v, &place);
    if (v->places[i].segment)
        return false;
    v->places[i] = place;
    v->n_places++;
    return true;
}

/* Appends "/name"; false when the path would get too long. */
static bool path_push(struct walker *w, struct slice name)
{
    size_t slash = w->len > 0 && w->path[w->len - 1] != '/';

    if (w->len + slash + name.len >= sizeof w->path)
        return false;
    if (slash)
        w->path[w->len] = '/';
    if (name.len)
        memcpy(w->path + w->len + slash, name.ptr, name.len);
    w->len += slash + name.len;
    w->path[w->len] = '\0';
    return true;
}

static void path_cut(struct walker *w, size_t len)
{
    w->len = len;
    w->path[len] = '\0';
}

static const char *current_directory(const struct walker *w)
{
    return w->len ? w->path : ".";
}

struct entry_walk {
    struct walker *walker;
    struct slice segment; /* what names must match; "**" itself: any directory */
    const char *rest;     /* of the pattern, behind the segment */
};

/* Names are collected by recursion inside the listing: one open directory a level, GLOB_DEPTH_MAX
 * at most. */
static bool on_entry(void *ctx, const char *name, enum file_type hint)
{
    const struct entry_walk *entry = ctx;
    struct walker *w = entry->walker;
    size_t len = w->len;

    if (!match_name(entry->segment, slice_str(name)) || !path_push(w, slice_str(name)))
        return true;
    walk_pattern(w, entry->rest, hint);
    path_cut(w, len);
    return true;
}

static void list_directory(struct walker *w, struct slice segment, const char *rest)
{
    const struct glob_walk *walk = w->walk;
    struct entry_walk entry = {w, segment, rest};
    struct err e;
    bool missing;

    if (walk->on_directory)
        walk->on_directory(walk->ctx, current_directory(w));
    if (walk->files->list(walk->files->ctx, current_directory(w), on_entry, &entry, &missing, &e) <
            0 &&
        !missing)
        walk->on_trouble(walk->ctx, &e);
}

static bool is_directory(const struct walker *w, struct file_stat *st)
{
    const struct files *files = w->walk->files;
    bool missing;

    return files->stat(files->ctx, current_directory(w), st, &missing, NULL) == 0 &&
           st->type == FILE_DIRECTORY;
}

/* "**" and what follows it: here, and in every directory below. `again` begins with the "**". */
static void walk_any_depth(struct walker *w, const char *again, const char *rest)
{
    struct file_stat st;

    if (!is_directory(w, &st) || !visit(&w->visited, &st, again))
        return;
    walk_pattern(w, rest, FILE_DIRECTORY);
    list_directory(w, slice_str("*"), again);
}

/* Appends a segment without wildcards, its backslashes resolved. */
static bool push_literal(struct walker *w, struct slice segment)
{
    char name[GLOB_PATH_MAX];
    size_t n = 0;

    for (size_t i = 0; i < segment.len && n < sizeof name; i++) {
        i += segment.ptr[i] == '\\' && i + 1 < segment.len;
        name[n++] = segment.ptr[i];
    }
    return path_push(w, slice_of(name, n));
}

/* The last segment has no wildcard: it is there or not, and its directory is worth watching. */
static bool match_literal(struct walker *w, struct slice segment)
{
    const struct glob_walk *walk = w->walk;
    struct file_stat st;
    bool missing;

    if (walk->on_directory)
        walk->on_directory(walk->ctx, current_directory(w));
    if (!push_literal(w, segment))
        return false;
    if (walk->files->stat(walk->files->ctx, w->path, &st, &missing, NULL) < 0 && missing)
        return false;
    walk->on_match(walk->ctx, w->path, FILE_OTHER);
    return true;
}

/* What matches `pattern` below the current path; an empty pattern matches the path itself. */
static void walk_pattern(struct walker *w, const char *pattern, enum file_type hint)
{
    const char *rest = pattern;
    struct slice segment;
    size_t len = w->len;

    if (!next_segment(&rest, &segment)) {
        w->walk->on_match(w->walk->ctx, w->path, hint);
        return;
    }
    if (hint == FILE_REGULAR || w->depth >= GLOB_DEPTH_MAX)
        return;
    w->depth++;
    rest += strspn(rest, "/");
    if (slice_is(segment, "**"))
        walk_any_depth(w, segment.ptr, *rest ? rest : "*");
    else if (has_wildcard(segment))
        list_directory(w, segment, rest);
    else if (!*rest)
        match_literal(w, segment);
    else if (push_literal(w, segment))
        walk_pattern(w, rest, FILE_OTHER);
    path_cut(w, len);
    w->depth--;
}

/* Takes the segments without wildcards off the pattern and makes them the path to begin with. The
 * last segment stays: its directory is the one to watch. */
static const char *take_base(struct walker *w, const char *pattern)
{
    const char *rest = pattern;
    const char *next = pattern;
    struct slice segment;

    if (*pattern == '/')
        path_push(w, slice_str("/"));
    while (next_segment(&next, &segment) && !has_wildcard(segment) && next[strspn(next, "/")]) {
        if (!push_literal(w, segment))
            return NULL;
        rest = next;
    }
    return rest + strspn(rest, "/");
}

bool glob_expand(const struct glob_walk *walk, const char *pattern)
{
    struct walker w = {.walk = walk};
    const char *rest = take_base(&w, pattern);
    const char *end = rest;
    struct slice segment;
    struct file_stat st;
    bool is_there;

    if (!rest || !next_segment(&end, &segment))
        return false;
    if (!has_wildcard(segment))
        return match_literal(&w, segment);
    is_there = is_directory(&w, &st);
    if (is_there)
        walk_pattern(&w, rest, FILE_DIRECTORY);
    free(w.visited.places);
    return is_there;
}

void glob_below(const struct glob_walk *walk, const char *directory)
{
    struct walker w = {.walk = walk};

    if (path_push(&w, slice_str(directory)))
        walk_pattern(&w, "**/*", FILE_DIRECTORY);
    free(w.visited.places);
}
