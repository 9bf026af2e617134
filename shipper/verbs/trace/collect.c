#include <string.h>

#include "parsers/trace_context.h"
#include "shipper/verbs/trace/collect.h"

enum { ID_MAX = 128 };

/* A header as it stands in a log or a browser: traceparent, X-Amzn-Trace-Id. */
static bool header_form(const char *id, char out[ID_MAX])
{
    struct record r = {0};

    if (!trace_parse_traceparent(slice_str(id), &r) &&
        !(strchr(id, '=') && trace_parse_xray(slice_str(id), &r)))
        return false;
    memcpy(out, r.trace_id, sizeof r.trace_id);
    out[sizeof r.trace_id] = '\0';
    return true;
}

/* As trace.id is stored: X-Ray's 1-SSSSSSSS-RRRR... without its version and dashes; lower case. Of
 * a beginning, what there is. Empty if it is not the beginning of one. */
static void trace_form(const char *id, char out[ID_MAX])
{
    size_t n = 0;

    if (header_form(id, out))
        return;
    if (strncmp(id, "1-", 2) == 0)
        id += 2;
    for (; *id && n < ID_MAX - 1; id++) {
        char c = *id >= 'A' && *id <= 'F' ? (char)(*id + 32) : *id;

        if (c == '-')
            continue;
        if (!strchr("0123456789abcdef", c)) {
            n = 0;
            break;
        }
        out[n++] = c;
    }
    out[n] = '\0';
}

/* What the id may mean: matches[key] are the values of that key that begin with it. One that it
 * spells out stands alone. */
static int match(struct archive *archive, enum archive_key key, const char *prefix,
                 struct names *matches, struct err *e)
{
    if (!*prefix)
        return 0;
    if (archive->ops->find(archive, key, prefix, COLLECT_MAX_CANDIDATES + 1, matches, e) < 0)
        return -1;
    if (names_have(matches, slice_str(prefix))) {
        names_free(matches);
        if (!names_add(matches, slice_str(prefix)))
            return err_set(e, ERR_NOMEM, "out of memory");
    }
    return 0;
}

/* As it is written; or, as Lambda's are, in lower case. */
static int match_request(struct archive *archive, const char *id, struct names *matches,
                         struct err *e)
{
    char lower[ID_MAX];
    size_t n = 0;

    if (match(archive, ARCHIVE_REQUEST, id, matches, e) < 0)
        return -1;
    for (; id[n] && n < sizeof lower - 1; n++)
        lower[n] = id[n] >= 'A' && id[n] <= 'Z' ? (char)(id[n] + 32) : id[n];
    lower[n] = '\0';
    if (matches->n_items || strcmp(id, lower) == 0)
        return 0;
    return match(archive, ARCHIVE_REQUEST, lower, matches, e);
}

/* From what was asked for to the whole trace around it. */
static int widen(struct archive *archive, struct names in[ARCHIVE_N_KEYS], struct err *e)
{
    const struct archive_ops *ops = archive->ops;

    if (in[ARCHIVE_REQUEST].n_items && ops->values(archive, ARCHIVE_TRACE, ARCHIVE_REQUEST,
                                                   &in[ARCHIVE_REQUEST], &in[ARCHIVE_TRACE], e) < 0)
        return -1;
    if (in[ARCHIVE_TRACE].n_items && ops->values(archive, ARCHIVE_REQUEST, ARCHIVE_TRACE,
                                                 &in[ARCHIVE_TRACE], &in[ARCHIVE_REQUEST], e) < 0)
        return -1;
    if (in[ARCHIVE_REQUEST].n_items && ops->values(archive, ARCHIVE_INIT, ARCHIVE_REQUEST,
                                                   &in[ARCHIVE_REQUEST], &in[ARCHIVE_INIT], e) < 0)
        return -1;
    return 0;
}

static void on_event(void *ctx, struct slice document)
{
    story_add(ctx, document);
}

static int gather(struct archive *archive, struct names in[ARCHIVE_N_KEYS], struct story *story,
                  struct err *e)
{
    if (widen(archive, in, e) < 0 ||
        archive->ops->events(archive, in, on_event, story, &story->is_cut, e) < 0)
        return -1;
    if (in[ARCHIVE_TRACE].n_items)
        story->trace = arena_copy(&story->arena, slice_str(in[ARCHIVE_TRACE].items[0]));
    return story_finish(story) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int add_all(struct names *to, const struct names *from, struct err *e)
{
    for (size_t i = 0; i < from->n_items && i < COLLECT_MAX_CANDIDATES; i++)
        if (!names_add(to, slice_str(from->items[i])))
            return err_set(e, ERR_NOMEM, "out of memory");
    return 0;
}

enum collect_result collect(struct archive *archive, const char *id, struct story *story,
                            struct names *candidates, struct err *e)
{
    struct names in[ARCHIVE_N_KEYS] = {{0}};
    enum collect_result result = COLLECT_FAILED;
    char trace[ID_MAX];
    size_t n_matches;

    trace_form(id, trace);
    if (match_request(archive, id, &in[ARCHIVE_REQUEST], e) < 0 ||
        match(archive, ARCHIVE_TRACE, trace, &in[ARCHIVE_TRACE], e) < 0)
        goto out;
    n_matches = in[ARCHIVE_REQUEST].n_items + in[ARCHIVE_TRACE].n_items;
    if (n_matches == 0) {
        result = COLLECT_NONE;
    } else if (n_matches > 1) {
        if (add_all(candidates, &in[ARCHIVE_REQUEST], e) == 0 &&
            add_all(candidates, &in[ARCHIVE_TRACE], e) == 0)
            result = COLLECT_AMBIGUOUS;
    } else if (gather(archive, in, story, e) == 0) {
        result = COLLECT_FOUND;
    }
out:
    for (size_t i = 0; i < ARCHIVE_N_KEYS; i++)
        names_free(&in[i]);
    return result;
}
