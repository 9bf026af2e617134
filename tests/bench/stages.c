/* stages FILE [ROUNDS [REGEX]]: what each stage of the hot path costs, in one thread, without I/O.
 * stages --workers FILE [ROUNDS]: what a second worker brings, for one stream and for eight, as
 * JSON.
 *
 * The stages add up: each row does what the row above does, and one thing more. Best of the rounds,
 * in CPU time; MB are of input. To see where inside a stage: perf record, or callgrind with one
 * round. Workers are compared by wall time, which only means something on two idle CPUs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "parsers/regex.h"
#include "shipper/pipeline/frame.h"
#include "tests/bench/rig.h"

enum { MAX_LINE = 1 << 20 };

struct stages {
    struct slice text;
    struct parser parser;
    int rounds;
    struct rig_result result;
    uint64_t n_lines;
};

static void run_frame(struct stages *s)
{
    struct frame f;
    struct frame_line line;

    frame_init(&f, s->text, MAX_LINE, false, true);
    for (s->n_lines = 0; frame_next(&f, &line);)
        s->n_lines++;
}

static void run_parse(struct stages *s)
{
    static struct parse_scratch scratch;
    struct record record;
    struct frame f;
    struct frame_line line;

    frame_init(&f, s->text, MAX_LINE, false, true);
    while (frame_next(&f, &line))
        parser_parse(&s->parser, &scratch, line.text, &record);
}

static void run_pipeline(struct stages *s, size_t n_streams, unsigned n_workers, bool wants_gzip)
{
    const struct rig_options options = {s->text, &s->parser, n_streams, n_workers, wants_gzip};

    rig_run(&options, &s->result);
}

static void run_plain(struct stages *s)
{
    run_pipeline(s, 1, 0, false);
}

static void run_packed(struct stages *s)
{
    run_pipeline(s, 1, 0, true);
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(const char *name, void (*run)(struct stages *), struct stages *s)
{
    double best = 1e9;

    for (int i = 0; i < s->rounds; i++) {
        double from = seconds(CLOCK_PROCESS_CPUTIME_ID);
        double took;

        run(s);
        took = seconds(CLOCK_PROCESS_CPUTIME_ID) - from;
        best = took < best ? took : best;
    }
    printf("%-22s %8.1f MB/s %8.1f ns/line\n", name, (double)s->text.len / 1e6 / best,
           best * 1e9 / (double)s->n_lines);
}

static void measure_workers(struct stages *s, size_t n_streams)
{
    double best[2] = {1e9, 1e9};

    for (int i = 0; i < 2 * s->rounds; i++) {
        double from = seconds(CLOCK_MONOTONIC);
        double took;

        run_pipeline(s, n_streams, 1 + i % 2, true);
        took = seconds(CLOCK_MONOTONIC) - from;
        best[i % 2] = took < best[i % 2] ? took : best[i % 2];
    }
    printf("{\"streams\":%zu,\"one_worker_s\":%.3f,\"two_workers_s\":%.3f,\"gain\":%.2f}\n",
           n_streams, best[0], best[1], best[0] / best[1]);
}

static bool load(const char *path, struct buffer *out)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return false;
    while (buffer_reserve(out, 1 << 20) && (n = fread(out->ptr + out->len, 1, 1 << 20, f)) > 0)
        out->len += n;
    fclose(f);
    return out->len > 0;
}

static bool choose_parser(struct stages *s, const char *pattern)
{
    static struct regex_options options = {.match_limit = 100000};
    static const char *patterns[1];
    struct err e = {0};

    s->parser.ops = &parser_auto;
    if (!pattern)
        return true;
    *patterns = pattern;
    options.pattern = (struct option_list){patterns, 1};
    s->parser.ops = &parser_regex;
    s->parser.self = parser_regex.make(&options, &e);
    if (!s->parser.self)
        fprintf(stderr, "stages: %s\n", e.what);
    return s->parser.self;
}

static void print_stages(struct stages *s)
{
    measure("frame", run_frame, s);
    measure("+ parse", run_parse, s);
    measure("+ correlate, encode", run_plain, s);
    measure("+ gzip", run_packed, s);
    printf("documents %.2f of the input's size, packed %.3f\n",
           (double)s->result.plain_bytes / (double)s->text.len,
           (double)s->result.sent_bytes / (double)s->text.len);
}

int main(int argc, char **argv)
{
    bool wants_workers = argc > 1 && strcmp(argv[1], "--workers") == 0;
    int at = wants_workers ? 2 : 1;
    struct stages s = {.rounds = argc > at + 1 ? atoi(argv[at + 1]) : 5};
    struct buffer file = {0};

    if (argc <= at || !load(argv[at], &file)) {
        fputs("usage: stages [--workers] FILE [ROUNDS [REGEX]]\n", stderr);
        return 2;
    }
    if (!choose_parser(&s, argc > at + 2 ? argv[at + 2] : NULL))
        return 2;
    s.text = buffer_slice(&file);
    if (!wants_workers) {
        print_stages(&s);
        return 0;
    }
    measure_workers(&s, 1);
    measure_workers(&s, 8);
    return 0;
}
