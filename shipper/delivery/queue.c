#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/queue.h"
#include "shipper/delivery/queue_record.h"
#include "shipper/delivery/queue_store.h"

enum {
    REMEMBER_EVERY_MS = 250,
    REMEMBER_AGAIN_MS = 2000, /* after it failed */
    STUCK_MS = 60000,         /* a record that cannot be read for so long is given up ... */
    STUCK_TRIES = 5,          /* ... but not before so many tries */
    ITEM_BYTES = 12,          /* of meta for an event: mostly 6 */
    RECORD_BYTES = 4096       /* header, origins, the room of a file's last block */
};

/* A record that is with the caller. */
struct out_record {
    uint64_t number;
    uint64_t n_events;
};

/* One job at a time does all that is to be done on the disk: what was asked for meanwhile goes
 * into the next, so that all batches that wait share an fsync. While it runs, `store` and `work`
 * are the writer's. */
struct work {
    struct job job; /* first */
    struct queue *queue;
    struct queue_put *puts;
    uint64_t get;       /* number; 0: none */
    bool has_no_memory; /* for a get */
    bool remembers;
    struct number_set settled; /* a copy */

    enum queue_read how;
    struct queue_record *record;
    struct err why;
    struct err remember_why;
};

struct queue {
    int64_t max_bytes;
    struct pool *writer;
    queue_log_fn *log;
    void *log_ctx;

    struct queue_store store;
    struct work work;
    bool is_working;

    /* Puts that wait, oldest first. */
    struct queue_put *puts;
    struct queue_put **puts_end;
    size_t n_putting; /* of those that wait, and of those in work */
    int64_t putting_bytes;
    uint64_t just_put; /* its put is being told; 0: none */
    uint64_t just_put_events;

    queue_get_fn *get_done; /* NULL: none is asked for */
    void *get_ctx;

    /* Invariant: each number below next_number is in `settled`, in `out`, or waits to be got; none
     * that waits is below next_get. `settled` has room for all that is out. */
    struct number_set settled;
    struct out_record *out; /* by number */
    size_t n_out;
    size_t out_cap;
    uint64_t next_number;
    uint64_t next_get;

    bool is_dirty; /* something was settled that is not remembered */
    bool is_remember_due;
    bool has_remember_trouble;
    int64_t remember_at_ms; /* 0: not known yet */
    int64_t now_ms;

    uint64_t stuck_number;
    int64_t stuck_since_ms;
    unsigned stuck_tries;

    struct queue_stats stats;
    uint64_t headless_events; /* of damaged_events: not the store's to count */
};

/* --- what is out ----------------------------------------------------------------------------- */

/* Where the number is in q->out, or would be. */
static size_t out_place(const struct queue *q, uint64_t number)
{
    size_t low = 0;
    size_t high = q->n_out;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (q->out[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_out(const struct queue *q, uint64_t number)
{
    size_t i = out_place(q, number);

    return i < q->n_out && q->out[i].number == number;
}

/* Room for one more beside those that are being put, and for settling all of them: none of that can
 * fail then. */
static bool out_reserve(struct queue *q)
{
    size_t n = q->n_putting + 1;
    size_t cap = q->out_cap ? q->out_cap : 16;
    struct out_record *grown;

    if (!number_set_reserve(&q->settled, q->n_out + n))
        return false;
    if (q->out_cap - q->n_out >= n)
        return true;
    while (cap - q->n_out < n)
        cap *= 2;
    grown = realloc(q->out, cap * sizeof *grown);
    if (!grown)
        return false;
    q->out = grown;
    q->out_cap = cap;
    return true;
}

/* There is room: out_reserve. */
static void out_add(struct queue *q, uint64_t number, uint64_t n_events)
{
    size_t i = out_place(q, number);

    memmove(q->out + i + 1, q->out + i, (q->n_out - i) * sizeof *q->out);
    q->out[i] = (struct out_record){number, n_events};
    q->n_out++;
}

static bool out_take(struct queue *q, uint64_t number, uint64_t *n_events)
{
    size_t i = out_place(q, number);

    if (i == q->n_out || q->out[i].number != number)
        return false;
    *n_events = q->out[i].n_events;
    q->n_out--;
    memmove(q->out + i, q->out + i + 1, (q->n_out - i) * sizeof *q->out);
    return true;
}

/* The oldest that waits to be got; next_number: none does. */
static uint64_t find_waiting(struct queue *q)
{
    uint64_t number = q->next_get;

    while (number < q->next_number) {
        uint64_t missing = number_set_next_missing(&q->settled, number);

        if (missing == number && !is_out(q, number))
            break;
        number = missing == number ? number + 1 : missing;
    }
    q->next_get = number < q->next_number ? number : q->next_number;
    return q->next_get;
}

/* --- counting -------------------------------------------------------------------------------- */

static void count_gone(struct queue *q, uint64_t n_events)
{
    q->stats.records--;
    q->stats.events -= n_events < q->stats.events ? n_events : q->stats.events;
    if (q->stats.records || !q->stats.events)
        return;
    /* Those of records whose headers could not be read: nobody knew how many they had. */
    q->headless_events += q->stats.events;
    q->stats.damaged_events += q->stats.events;
    q->stats.events = 0;
}

static void settle(struct queue *q, uint64_t number, uint64_t n_events)
{
    bool is_added = number_set_add(&q->settled, number, number + 1);

    assert(is_added); /* out_reserve made room */
    (void)is_added;
    count_gone(q, n_events);
    q->is_dirty = true;
}

/* What the store counted and wants to have told. */
static void take_news(struct queue *q)
{
    struct queue_damage *d = &q->store.damage;

    for (size_t i = 0; i < d->notes.n; i++)
        q->log(q->log_ctx, &d->notes.items[i]);
    if (d->notes.n_left_out) {
        struct err more;

        err_set(&more, ERR_STORE, "and %zu more like these", d->notes.n_left_out);
        err_at(&more, "%s", q->store.directory);
        q->log(q->log_ctx, &more);
    }
    d->notes.n = 0;
    d->notes.n_left_out = 0;
    q->stats.damaged_records = d->records;
    q->stats.damaged_events = d->events + q->headless_events;
    q->stats.damaged_bytes = d->bytes;
    q->stats.bytes = queue_store_bytes(&q->store);
    q->stats.is_in_doubt = queue_store_is_in_doubt(&q->store);
}

/* --- the job --------------------------------------------------------------------------------- */

static void run_work(struct job *job, struct worker *worker)
{
    struct work *w = (struct work *)job;
    struct queue_store *s = &w->queue->store;

    (void)worker;
    if (w->remembers)
        queue_store_remember(s, &w->settled, false, &w->remember_why);
    if (w->puts)
        queue_store_append(s, w->puts);
    if (w->get)
        w->how = queue_store_read(s, w->get, &w->record, &w->why);
}

static void start_work(struct queue *q);

static void done_puts(struct queue *q)
{
    struct queue_put *p = q->work.puts;

    q->work.puts = NULL;
    while (p) {
        struct queue_put *next = p->next;

        q->putting_bytes -= p->bytes;
        q->n_putting--;
        q->just_put = p->number;
        q->just_put_events = p->batch->n_items;
        if (p->number) {
            q->next_number = p->number + 1;
            q->stats.records++;
            q->stats.events += p->batch->n_items;
        }
        p->done(p->ctx, p->batch, p->number, &p->why);
        free(p);
        p = next;
    }
    q->just_put = 0;
}

/* A record that cannot be read holds up what is behind it: not for ever. */
static bool is_stuck(struct queue *q, uint64_t number)
{
    if (q->stuck_number != number) {
        q->stuck_number = number;
        q->stuck_since_ms = q->now_ms;
        q->stuck_tries = 0;
    }
    q->stuck_tries++;
    return q->stuck_tries >= STUCK_TRIES && q->now_ms - q->stuck_since_ms >= STUCK_MS;
}

static void pass_over(struct queue *q, uint64_t number, uint64_t n_events)
{
    uint64_t ignored;

    out_take(q, number, &ignored);
    settle(q, number, n_events);
}

static void end_get(struct queue *q, struct queue_record *record, const struct err *why)
{
    queue_get_fn *done = q->get_done;

    q->get_done = NULL;
    done(q->get_ctx, record, why);
}

static void done_get(struct queue *q, uint64_t n_damaged_events)
{
    struct work *w = &q->work;
    struct queue_record *record;
    uint64_t number = w->get;
    uint64_t ignored;

    w->get = 0;
    if (w->how == QUEUE_READ_FAILED && w->why.code != ERR_NOMEM && is_stuck(q, number)) {
        n_damaged_events = queue_store_give_up(&q->store, number, &w->why);
        w->how = QUEUE_READ_LOST;
    }
    if (w->how == QUEUE_READ_LOST) {
        pass_over(q, number, n_damaged_events); /* and on to the next, in start_work */
        return;
    }
    out_take(q, number, &ignored);
    if (w->how == QUEUE_READ_FAILED) {
        if (number < q->next_get)
            q->next_get = number;
        end_get(q, NULL, &w->why);
        return;
    }
    out_add(q, number, w->record->batch->n_items);
    record = w->record;
    w->record = NULL;
    end_get(q, record, &w->why);
}

static void done_remember(struct queue *q)
{
    struct work *w = &q->work;
    bool has_failed = w->remember_why.code != ERR_NONE;

    w->remembers = false;
    number_set_free(&w->settled);
    if (has_failed) {
        q->is_dirty = true;
        q->remember_at_ms = q->now_ms + REMEMBER_AGAIN_MS;
    }
    if (has_failed && !q->has_remember_trouble) {
        strncat(w->remember_why.what,
                "; until it can be written, a restart sends again what was sent since, under the "
                "same ids",
                sizeof w->remember_why.what - strlen(w->remember_why.what) - 1);
        q->log(q->log_ctx, &w->remember_why);
    }
    q->has_remember_trouble = has_failed;
}

static void done_work(struct job *job)
{
    struct work *w = (struct work *)job;
    struct queue *q = w->queue;
    uint64_t damaged_events = q->stats.damaged_events;
    bool has_got = w->get != 0;

    if (w->remembers)
        done_remember(q);
    take_news(q);
    done_puts(q);
    if (has_got)
        done_get(q, q->stats.damaged_events - damaged_events);
    else if (q->get_done && (w->has_no_memory || find_waiting(q) == q->next_number))
        end_get(q, NULL, &w->why);
    take_news(q);
    q->is_working = false;
    start_work(q);
}

static void drop_work(struct job *job)
{
    struct work *w = (struct work *)job;

    w->queue->is_working = false; /* what was lent is freed by queue_close */
}

/* --- what is to be done ---------------------------------------------------------------------- */

static void prepare_get(struct queue *q)
{
    uint64_t number = find_waiting(q);

    q->work.get = 0;
    q->work.has_no_memory = false;
    if (!q->get_done || number == q->next_number)
        return;
    if (!out_reserve(q)) {
        q->work.has_no_memory = true;
        err_set(&q->work.why, ERR_NOMEM, "out of memory");
        return;
    }
    out_add(q, number, 0);
    q->work.get = number;
}

static void prepare_remember(struct queue *q)
{
    if (!q->is_remember_due)
        return;
    q->is_remember_due = false;
    q->remember_at_ms = 0;
    if (!number_set_copy(&q->settled, &q->work.settled))
        return; /* still dirty: at the next tick */
    q->is_dirty = false;
    q->work.remembers = true;
}

static void start_work(struct queue *q)
{
    struct work *w = &q->work;

    if (q->is_working)
        return;
    w->why = (struct err){.code = ERR_NONE};
    w->remember_why = w->why;
    w->record = NULL;
    w->puts = q->puts;
    q->puts = NULL;
    q->puts_end = &q->puts;
    prepare_get(q);
    prepare_remember(q);
    if (!w->puts && !q->get_done && !w->remembers)
        return;
    q->is_working = true;
    pool_submit(q->writer, &w->job, JOB_NORMAL);
}

/* --- what callers see ------------------------------------------------------------------------ */

static bool take_scan(struct queue *q, const struct queue_scan *scan)
{
    uint64_t from = 0;

    for (size_t i = 0; i < scan->waiting.n; i++) {
        if (!number_set_add(&q->settled, from, scan->waiting.ranges[i].from))
            return false;
        from = scan->waiting.ranges[i].to;
    }
    q->next_number = scan->next_number;
    q->stats.records = scan->n_waiting;
    q->stats.events = scan->n_events;
    q->is_dirty = scan->n_waiting == 0 && q->store.n_segments; /* files that can go */
    return number_set_add(&q->settled, from, scan->next_number);
}

struct queue *queue_open(const struct queue_options *options, queue_log_fn *log, void *ctx,
                         struct err *e)
{
    struct queue *q = calloc(1, sizeof *q);
    struct queue_scan scan = {0};
    int rc;

    if (!q) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    q->max_bytes = options->max_bytes;
    q->writer = options->writer;
    q->log = log;
    q->log_ctx = ctx;
    q->puts_end = &q->puts;
    q->work.queue = q;
    q->work.job = (struct job){.run = run_work, .done = done_work, .drop = drop_work};
    rc = queue_store_open(&q->store, options, &scan, e);
    if (rc == 0 && !take_scan(q, &scan))
        rc = err_set(e, ERR_NOMEM, "out of memory");
    queue_scan_fini(&scan);
    take_news(q);
    if (rc == 0)
        return q;
    queue_store_close(&q->store);
    number_set_free(&q->settled);
    free(q);
    return NULL;
}

static int64_t bytes_of(const struct batch *b)
{
    return (int64_t)(b->body.len + b->n_items * ITEM_BYTES + RECORD_BYTES);
}

bool queue_has_room(const struct queue *q, const struct batch *batch)
{
    if (!q->stats.records && !q->putting_bytes)
        return true;
    return q->stats.bytes + q->putting_bytes + bytes_of(batch) <= q->max_bytes;
}

bool queue_put(struct queue *q, struct batch *batch, queue_put_fn *done, void *ctx)
{
    struct queue_put *p = calloc(1, sizeof *p);

    if (!p || !out_reserve(q)) {
        free(p);
        return false;
    }
    *p = (struct queue_put){.batch = batch, .done = done, .ctx = ctx, .bytes = bytes_of(batch)};
    q->putting_bytes += p->bytes;
    q->n_putting++;
    *q->puts_end = p;
    q->puts_end = &p->next;
    start_work(q);
    return true;
}

void queue_get(struct queue *q, queue_get_fn *done, void *ctx)
{
    assert(!q->get_done);
    q->get_done = done;
    q->get_ctx = ctx;
    start_work(q);
}

void queue_keep(struct queue *q, uint64_t number)
{
    assert(number && number == q->just_put);
    out_add(q, number, q->just_put_events); /* queue_put made room */
}

void queue_give_back(struct queue *q, uint64_t number)
{
    uint64_t ignored;

    if (out_take(q, number, &ignored) && number < q->next_get)
        q->next_get = number;
}

void queue_settle(struct queue *q, uint64_t number)
{
    uint64_t n_events;

    if (out_take(q, number, &n_events))
        settle(q, number, n_events);
}

int64_t queue_tick(struct queue *q, int64_t now_ms)
{
    q->now_ms = now_ms;
    if (!q->is_dirty || q->is_working)
        return INT64_MAX; /* the end of the work wakes the loop */
    if (!q->remember_at_ms)
        q->remember_at_ms = now_ms + REMEMBER_EVERY_MS;
    if (now_ms < q->remember_at_ms)
        return q->remember_at_ms;
    q->is_remember_due = true;
    start_work(q);
    return INT64_MAX;
}

bool queue_has_more(const struct queue *q)
{
    struct queue *open = (struct queue *)q; /* it remembers where it looked */

    return find_waiting(open) < q->next_number;
}

const struct queue_stats *queue_stats(const struct queue *q)
{
    return &q->stats;
}

static void free_puts(struct queue_put *p)
{
    while (p) {
        struct queue_put *next = p->next;

        batch_free(p->batch);
        free(p);
        p = next;
    }
}

int queue_close(struct queue *q, struct err *e)
{
    int rc;

    if (!q)
        return 0;
    queue_record_free(q->work.record);
    free_puts(q->work.puts);
    free_puts(q->puts);
    number_set_free(&q->work.settled);
    queue_store_cut(&q->store);
    rc = queue_store_remember(&q->store, &q->settled, true, e);
    queue_store_note_deleted(&q->store, &q->settled);
    take_news(q);
    queue_store_close(&q->store);
    number_set_free(&q->settled);
    free(q->out);
    free(q);
    return rc;
}
