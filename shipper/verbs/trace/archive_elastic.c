/* Reading back what went to Elasticsearch or OpenSearch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verbs/trace/archive.h"
#include "shipper/verbs/trace/elastic.h"

struct elastic_archive {
    struct archive base; /* first */
    struct elastic *elastic;
    /* The names under which whole values are searched: "trace.id", or "trace.id.keyword" where no
     * template was there and the server guessed. */
    char fields[ARCHIVE_N_KEYS][40];
    char action[40], outcome[40];
};

/* --- which field --- */

static bool is_keyword(const json_t *caps, const char *field)
{
    return json_object_get(json_object_get(caps, field), "keyword");
}

static void choose_field(const json_t *caps, const char *name, char out[40])
{
    char guessed[40];

    snprintf(guessed, sizeof guessed, "%s.keyword", name);
    snprintf(out, 40, "%s", !is_keyword(caps, name) && is_keyword(caps, guessed) ? guessed : name);
}

static int choose_fields(struct elastic_archive *a, struct err *e)
{
    static const char *const names[] = {"faas.execution", "trace.id", "labels.init_id",
                                        "event.action", "event.outcome"};
    char *const out[] = {a->fields[ARCHIVE_REQUEST], a->fields[ARCHIVE_TRACE],
                         a->fields[ARCHIVE_INIT], a->action, a->outcome};
    char endpoint[512] = "_field_caps?fields=";
    json_t *reply;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(endpoint);

        snprintf(endpoint + len, sizeof endpoint - len, "%s%s,%s.keyword", i ? "," : "", names[i],
                 names[i]);
    }
    reply = elastic_ask(a->elastic, endpoint, NULL, e);
    if (!reply)
        return -1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        choose_field(json_object_get(reply, "fields"), names[i], out[i]);
    json_decref(reply);
    return 0;
}

/* --- names --- */

static int read_names(json_t *reply, struct names *out, struct err *e)
{
    json_t *buckets = json_object_get(
        json_object_get(json_object_get(reply, "aggregations"), "values"), "buckets");
    json_t *bucket;
    size_t i;
    int rc = 0;

    json_array_foreach(buckets, i, bucket)
    {
        if (!names_add(out, slice_str(json_string_value(json_object_get(bucket, "key")))))
            rc = err_set(e, ERR_NOMEM, "out of memory");
    }
    json_decref(reply);
    return rc;
}

/* The values of `key` in what `query` (taken) finds. */
static int ask_names(struct elastic_archive *a, enum archive_key key, json_t *query, size_t max,
                     struct names *out, struct err *e)
{
    json_t *body = json_pack("{s:i, s:b, s:o, s:{s:{s:{s:s, s:i, s:{s:s}}}}}", "size", 0,
                             "track_total_hits", 0, "query", query, "aggs", "values", "terms",
                             "field", a->fields[key], "size", (int)max, "order", "_key", "asc");
    json_t *reply;

    if (!body)
        return err_set(e, ERR_NOMEM, "out of memory");
    reply = elastic_ask(a->elastic, "_search", body, e);
    return reply ? read_names(reply, out, e) : -1;
}

static int find(struct archive *base, enum archive_key key, const char *prefix, size_t max,
                struct names *out, struct err *e)
{
    struct elastic_archive *a = (struct elastic_archive *)base;

    return ask_names(a, key, json_pack("{s:{s:s}}", "prefix", a->fields[key], prefix), max, out, e);
}

/* {"terms": {FIELD: [...]}} */
static json_t *terms(const struct elastic_archive *a, enum archive_key key, const struct names *in)
{
    json_t *list = json_array();

    for (size_t i = 0; i < in->n_items; i++)
        json_array_append_new(list, json_string(in->items[i]));
    return json_pack("{s:{s:o}}", "terms", a->fields[key], list);
}

static int values(struct archive *base, enum archive_key key, enum archive_key given,
                  const struct names *in, struct names *out, struct err *e)
{
    struct elastic_archive *a = (struct elastic_archive *)base;

    return ask_names(a, key, terms(a, given, in), ARCHIVE_MAX_NAMES, out, e);
}

/* --- events --- */

static void give_hit(json_t *hit, archive_event_fn *on_event, void *ctx)
{
    json_t *source = json_object_get(hit, "_source");
    json_t *id = json_object_get(hit, "_id");
    char *text;

    /* Here the id is the document's name, not a part of it. */
    if (json_is_object(source) && json_is_string(id) && !json_object_get(source, "event.id"))
        json_object_set(source, "event.id", id);
    text = json_dumps(source, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text)
        on_event(ctx, slice_str(text));
    free(text);
}

/* Runs a search (taken) for max + 1 hits; hands over max of them. */
static int ask_hits(struct elastic_archive *a, json_t *body, size_t max, archive_event_fn *on_event,
                    void *ctx, bool *is_cut, struct err *e)
{
    json_t *reply;
    json_t *hit;
    size_t i;

    if (!body)
        return err_set(e, ERR_NOMEM, "out of memory");
    reply = elastic_ask(a->elastic, "_search", body, e);
    if (!reply)
        return -1;
    json_array_foreach(json_object_get(json_object_get(reply, "hits"), "hits"), i, hit)
    {
        if (i < max)
            give_hit(hit, on_event, ctx);
        else
            *is_cut = true;
    }
    json_decref(reply);
    return 0;
}

static json_t *sorted_search(json_t *query, size_t size, const char *order)
{
    return json_pack("{s:i, s:b, s:o, s:[{s:{s:s, s:s}}]}", "size", (int)size, "track_total_hits",
                     0, "query", query, "sort", "@timestamp", "order", order, "unmapped_type",
                     "date");
}

static int events(struct archive *base, const struct names in[ARCHIVE_N_KEYS],
                  archive_event_fn *on_event, void *ctx, bool *is_cut, struct err *e)
{
    struct elastic_archive *a = (struct elastic_archive *)base;
    json_t *any = json_array();
    json_t *query;

    for (int k = 0; k < ARCHIVE_N_KEYS; k++)
        json_array_append_new(any, terms(a, (enum archive_key)k, &in[k]));
    query = json_pack("{s:{s:o, s:i}}", "bool", "should", any, "minimum_should_match", 1);
    *is_cut = false;
    return ask_hits(a, sorted_search(query, ARCHIVE_MAX_EVENTS + 1, "asc"), ARCHIVE_MAX_EVENTS,
                    on_event, ctx, is_cut, e);
}

static int search(struct archive *base, const char *words, size_t max, archive_event_fn *on_event,
                  void *ctx, struct err *e)
{
    struct elastic_archive *a = (struct elastic_archive *)base;
    bool is_cut;
    json_t *query;

    if (words)
        query = json_pack("{s:{s:s, s:[ss], s:s, s:s}}", "simple_query_string", "query", words,
                          "fields", "message", "error.stack_trace", "default_operator", "and",
                          "flags", "PHRASE|PREFIX|WHITESPACE");
    else
        query = json_pack("{s:{s:[{s:{s:s}}, {s:{s:s}}]}}", "bool", "filter", "term", a->action,
                          "invocation", "term", a->outcome, "failure");
    return ask_hits(a, sorted_search(query, max, "desc"), max, on_event, ctx, &is_cut, e);
}

static void close_elastic(struct archive *base)
{
    struct elastic_archive *a = (struct elastic_archive *)base;

    elastic_free(a->elastic);
    free(a);
}

static const struct archive_ops ops = {find, values, events, search, close_elastic};

struct archive *archive_elastic_open(const void *es_options, struct err *e)
{
    struct elastic_archive *a = calloc(1, sizeof *a);

    if (!a) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->base.ops = &ops;
    a->elastic = elastic_new(es_options, e);
    if (!a->elastic || choose_fields(a, e) < 0) {
        close_elastic(&a->base);
        return NULL;
    }
    return &a->base;
}
