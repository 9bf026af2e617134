/* The local output: the embedded store, one SQLite file. */
#include <assert.h>
#include <errno.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "outputs/blocking.h"
#include "outputs/local_options.h"
#include "outputs/local_record.h"
#include "outputs/local_store.h"
#include "shipper/base/path.h"
#include "shipper/pipeline/event.h"

struct local {
    struct local_store *store;
    atomic_bool is_stopping;
};

static const struct option options[] = {
    {.name = "path",
     .type = OPTION_PATH,
     .offset = offsetof(struct local_options, path),
     .is_required = true,
     .help = "the store, a SQLite file; made if it is not there"},
};

static void encode(const void *opts, const struct event *event, struct buffer *body)
{
    (void)opts;
    local_record_encode(event, body);
}

static enum local_result add_all(struct local *l, const struct batch *batch, enum verdict *verdicts,
                                 struct err *e)
{
    enum local_result result = LOCAL_OK;

    for (size_t i = 0; i < batch->n_items; i++) {
        const struct batch_item *item = &batch->items[i];
        struct slice bytes = slice_of(batch->body.ptr + item->body_offset, item->body_len);
        struct local_record record;
        bool is_whole = local_record_decode(bytes, &record);

        assert(is_whole); /* our own encoder wrote it */
        (void)is_whole;
        result = local_store_add(l->store, &record, e);
        if (result != LOCAL_OK && result != LOCAL_KNOWN)
            return result;
        verdicts[i] = result == LOCAL_KNOWN ? VERDICT_DUPLICATE : VERDICT_DELIVERED;
    }
    return LOCAL_OK;
}

/* All of the batch in one transaction, or nothing of it. */
static void write_batch(void *self, struct batch *batch, struct sink_reply *reply)
{
    struct local *l = self;
    enum local_result result = local_store_begin(l->store, &reply->why);

    if (result == LOCAL_OK)
        result = add_all(l, batch, reply->verdicts, &reply->why);
    if (result == LOCAL_OK)
        result = local_store_commit(l->store, &reply->why);
    reply->outcome = result == LOCAL_OK     ? SINK_ITEMS
                     : result == LOCAL_BUSY ? SINK_RETRY
                                            : SINK_HOLD;
}

static void stop_local(void *self)
{
    atomic_store(&((struct local *)self)->is_stopping, true);
}

static void close_local(void *self)
{
    struct local *l = self;

    local_store_close(l->store);
    free(l);
}

static const struct blocking_ops ops = {write_batch, NULL, stop_local, close_local};

static struct sink *open_local(const void *opts, const struct sink_world *world, struct err *e)
{
    const struct local_options *o = opts;
    struct local *l = calloc(1, sizeof *l);
    char where[512];

    if (!l) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    l->store = local_store_open(o->path, &l->is_stopping, e);
    if (!l->store) {
        free(l);
        return NULL;
    }
    snprintf(where, sizeof where, "local store %s", o->path);
    return blocking_new(&ops, l, where, world, e);
}

static void own_file(const void *opts, struct buffer *path)
{
    buffer_printf(path, "%s", ((const struct local_options *)opts)->path);
}

static int check_directory_of(const char *path, struct err *e)
{
    char *copy = strdup(path);
    int rc = copy ? path_check_directory(dirname(copy), e) : err_set(e, ERR_NOMEM, "out of memory");

    free(copy);
    return rc;
}

/* The directory counts also where the file is: SQLite writes its log beside it. */
static int check_local(const void *opts, struct buffer *where, struct err *e)
{
    const struct local_options *o = opts;
    struct sqlite3 *db;

    buffer_printf(where, "local store %s", o->path);
    if (check_directory_of(o->path, e) < 0)
        return -1;
    if (access(o->path, F_OK) < 0)
        return 0; /* it will be made */
    if (access(o->path, R_OK | W_OK) < 0) {
        err_set(e, ERR_STORE, "%s", strerror(errno));
        return err_at(e, "%s", o->path);
    }
    db = local_store_read(o->path, e);
    sqlite3_close(db);
    return db ? 0 : -1;
}

const struct output_ops output_local = {
    .name = "local",
    .help = "an embedded store: one SQLite file, for `ship trace` and full-text search",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct local_options)},
    .own_file = own_file,
    .check = check_local,
    .encode = encode,
    .open = open_local,
    .max_in_flight = blocking_max_in_flight,
    .send = blocking_send,
    .probe = blocking_probe,
    .where = blocking_where,
    .finish = blocking_finish,
    .close = blocking_close,
};
