/* What the parts of a configuration must agree on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/finish.h"
#include "config/keep.h"
#include "shipper/base/path.h"

#define QUEUE_DEFAULT ((int64_t)1024 * 1024 * 1024)

/* A line as long as may be is read, and then stands in a document for each output, before any of
 * it can go. */
static int check_longest_line(const struct config *c, size_t i, struct err *e)
{
    int64_t most = c->global.memory_bytes / (1 + (int64_t)c->n_outputs);

    if (c->inputs[i].common.max_line_bytes <= most)
        return 0;
    err_set(e, ERR_CONFIG,
            "a line of %lld bytes and its documents for %zu output%s do not fit into limits.memory "
            "(%lld bytes); want at most %lld, or more memory",
            (long long)c->inputs[i].common.max_line_bytes, c->n_outputs,
            c->n_outputs == 1 ? "" : "s", (long long)c->global.memory_bytes, (long long)most);
    return err_at(e, "inputs[%zu].max_line", i);
}

/* --- who an output is ------------------------------------------------------------------------ */

static bool is_alone_of_its_type(const struct config *c, size_t i)
{
    for (size_t k = 0; k < c->n_outputs; k++)
        if (k != i && c->outputs[k].ops == c->outputs[i].ops)
            return false;
    return true;
}

/* "TYPE NAME". The second of a type that has no name is called so by its place alone: it may be
 * another one in the next configuration. */
static int identify(struct config *c, size_t i, struct err *e)
{
    struct output_common *out = &c->outputs[i].common;
    struct buffer text = {0};

    if (!out->has_own_name && !is_alone_of_its_type(c, i))
        return 0;
    buffer_printf(&text, "%s %s", c->outputs[i].ops->name, out->name);
    out->identity = text.failed ? NULL : keep_text(c->keep, buffer_slice(&text));
    buffer_free(&text);
    return out->identity ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* --- the queue of an output ------------------------------------------------------------------ */

/* The directory, without slashes at its end, so that two are the same as texts. */
static char *keep_directory(struct config *c, const char *path)
{
    struct slice text = slice_str(path);

    while (text.len > 1 && text.ptr[text.len - 1] == '/')
        text.len--;
    return keep_text(c->keep, text);
}

/* Its place among the outputs would choose its directory: what waits for one would be sent to
 * another, once they change places or one of them goes. */
static int check_is_known_again(const struct output_common *out, struct err *e)
{
    if (out->identity)
        return 0;
    err_set(e, ERR_CONFIG,
            "missing; its disk queue is found by it, and there is another output of its type: want "
            "a name for each of them that has a queue (this one was called \"%.60s\" so far)",
            out->name);
    return err_at(e, "name");
}

/* PATH/NAME; the name of an output may say anything, that of a directory not. */
static int place_below(struct config *c, struct output_common *out, struct err *e)
{
    struct slice name = slice_str(out->name);
    char *path;

    if (check_is_known_again(out, e) < 0)
        return -1;
    if (memchr(name.ptr, '/', name.len) || name.ptr[0] == '.') {
        err_set(e, ERR_CONFIG,
                "\"%.60s\" is to be a directory in queue.path; want a name without a slash, and "
                "without a dot at its beginning",
                out->name);
        return err_at(e, "name");
    }
    path = path_join(c->global.queue_path, out->name);
    out->queue_path = path ? keep_directory(c, path) : NULL;
    free(path);
    return out->queue_path ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int place_queue(struct config *c, struct output_common *out, struct err *e)
{
    if (out->queue_path && strcmp(out->queue_path, "none") == 0)
        out->queue_path = NULL;
    else if (out->queue_path && !(out->queue_path = keep_directory(c, out->queue_path)))
        return err_set(e, ERR_NOMEM, "out of memory");
    else if (!out->queue_path && c->global.queue_path && place_below(c, out, e) < 0)
        return -1;
    if (!out->queue_path && out->queue_max_bytes) {
        err_set(e, ERR_CONFIG,
                "there is no queue that it could be the size of; want queue.path too");
        return err_at(e, "queue.max_bytes");
    }
    if (!out->queue_max_bytes)
        out->queue_max_bytes =
            c->global.queue_max_bytes ? c->global.queue_max_bytes : QUEUE_DEFAULT;
    return 0;
}

/* Two outputs cannot put into one queue: what comes out of it goes to one place. */
static int check_alone(const struct config *c, size_t i, struct err *e)
{
    const struct output_common *out = &c->outputs[i].common;

    for (size_t k = 0; out->queue_path && k < i; k++) {
        const struct output_common *other = &c->outputs[k].common;

        if (!other->queue_path || strcmp(out->queue_path, other->queue_path) != 0)
            continue;
        err_set(e, ERR_CONFIG,
                "%.200s is the queue of outputs[%zu] (%.60s) already; want a directory for %.60s "
                "alone",
                out->queue_path, k, other->name, out->name);
        return err_at(e, "queue.path");
    }
    return 0;
}

/* --- an output that does not keep up --------------------------------------------------------- */

static int check_on_full(struct output_common *out, struct err *e)
{
    if (out->on_full == ON_FULL_AUTO)
        out->on_full = out->queue_path ? ON_FULL_SPILL : ON_FULL_BLOCK;
    if (out->on_full == ON_FULL_SPILL && !out->queue_path) {
        err_set(e, ERR_CONFIG,
                "spill wants a disk queue, and there is none; want `queue: {path: "
                "/var/lib/ship/queue}` at the top, or on_full: block");
        return err_at(e, "on_full");
    }
    if (out->on_full == ON_FULL_BLOCK && out->queue_path) {
        err_set(e, ERR_CONFIG,
                "block does not go with a disk queue (%.200s), which takes what would be blocked; "
                "want on_full: spill, or `queue: {path: none}` for this output",
                out->queue_path);
        return err_at(e, "on_full");
    }
    return 0;
}

static int share_memory(const struct config *c, struct output_common *out, struct err *e)
{
    int64_t all = c->global.memory_bytes;

    if (out->memory_bytes > all) {
        err_set(e, ERR_CONFIG, "%lld bytes are more than limits.memory, which has %lld",
                (long long)out->memory_bytes, (long long)all);
        return err_at(e, "memory");
    }
    if (!out->memory_bytes)
        out->memory_bytes = out->on_full == ON_FULL_BLOCK ? all : all / ((int64_t)c->n_outputs + 1);
    return 0;
}

/* --- all of it ------------------------------------------------------------------------------- */

static int finish_delivery(struct config *c, size_t i, struct err *e)
{
    struct output_common *out = &c->outputs[i].common;

    if (identify(c, i, e) < 0 || place_queue(c, out, e) < 0 || check_alone(c, i, e) < 0 ||
        check_on_full(out, e) < 0 || share_memory(c, out, e) < 0) {
        char option[64];

        snprintf(option, sizeof option, "%.60s", e->where);
        e->where[0] = '\0';
        return err_at(e, "outputs[%zu].%s", i, option);
    }
    return 0;
}

static int check_top_queue(const struct config *c, struct err *e)
{
    bool has_queue = c->global.queue_path != NULL;

    for (size_t i = 0; i < c->n_outputs; i++)
        has_queue |= c->outputs[i].common.queue_path != NULL;
    if (has_queue || !c->global.queue_max_bytes)
        return 0;
    err_set(e, ERR_CONFIG, "there is no queue that it could be the size of; want queue.path too");
    return err_at(e, "queue.max_bytes");
}

int finish_whole(struct config *c, struct err *e)
{
    if (c->global.queue_path && !(c->global.queue_path = keep_directory(c, c->global.queue_path)))
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < c->n_inputs; i++)
        if (check_longest_line(c, i, e) < 0)
            return -1;
    for (size_t i = 0; i < c->n_outputs; i++)
        if (finish_delivery(c, i, e) < 0)
            return -1;
    return c->n_outputs ? check_top_queue(c, e) : 0;
}
