/* ship dead: what outputs refused for good: counted, shown, sent again, dropped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "shipper/base/nearest.h"
#include "shipper/base/plural.h"
#include "shipper/delivery/letter.h"
#include "shipper/delivery/letter_files.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/dead/one.h"
#include "shipper/verbs/dead/place.h"
#include "shipper/verbs/dead/send.h"
#include "shipper/verbs/dead/tally.h"
#include "shipper/verbs/verbs.h"
#include "shipper/verbs/where.h"

enum { FIXES_MAX = 32 };

struct dead {
    const char *action; /* list, show, ... */
    const char *word;   /* of show */
    const char *config_path;
    const char *directory;
    const char *to;
    const char *type;
    const char *without;
    struct letter_fix fixes[FIXES_MAX];
    size_t n_fixes;
    struct where_options where;
    bool is_all;
    bool is_json;

    struct place place;
    struct config *target; /* made of --to */
    struct letter_files files;
    int lock; /* of the directory; -1: not held */
};

static int on_word(void *ctx, const char *word)
{
    struct dead *d = ctx;

    if (!d->action)
        d->action = word;
    else if (strcmp(d->action, "show") == 0 && !d->word)
        d->word = word;
    else
        return usage_error("dead", "\"%.60s\" is too much", word);
    return 0;
}

static int add_fix(struct dead *d, const char *text)
{
    struct err e = {0};

    if (d->n_fixes == FIXES_MAX)
        return usage_error("dead", "--fix: more than %d of them", FIXES_MAX);
    if (letter_fix_parse(text, &d->fixes[d->n_fixes], &e) < 0)
        return usage_error("dead", "--fix %s: %s", e.where, e.what);
    d->n_fixes++;
    return 0;
}

/* The value of "--fix VALUE" or "--fix=VALUE" at argv[*i], which moves on to the last word of it.
 */
static const char *fix_at(int argc, char **argv, int *i)
{
    if (strncmp(argv[*i], "--fix=", 6) == 0)
        return argv[*i] + 6;
    if (strcmp(argv[*i], "--fix") == 0 && *i + 1 < argc)
        return argv[++*i];
    return NULL;
}

/* --fix may come again and again, in an order that matters: it is taken out of the words. */
static int take_fixes(struct dead *d, int *argc, char **argv)
{
    int n = 1;
    int rc = 0;

    for (int i = 1; i < *argc; i++) {
        bool ends_options = strcmp(argv[i], "--") == 0;
        const char *fix = ends_options ? NULL : fix_at(*argc, argv, &i);

        if (fix && rc == 0)
            rc = add_fix(d, fix);
        if (!fix)
            argv[n++] = argv[i];
        while (ends_options && i + 1 < *argc)
            argv[n++] = argv[++i];
    }
    *argc = n;
    return rc;
}

static int parse(struct dead *d, int argc, char **argv)
{
    const char *lone_fix = NULL;
    const struct arg_option options[] = {
        {"--config", "-c", &d->config_path, NULL},
        {"--dir", NULL, &d->directory, NULL},
        {"--to", NULL, &d->to, NULL},
        {"--without", NULL, &d->without, NULL},
        {"--fix", NULL, &lone_fix, NULL}, /* the last word, or misspelled */
        {"--type", NULL, &d->type, NULL},
        {"--all", NULL, NULL, &d->is_all},
        {"--json", NULL, NULL, &d->is_json},
        {"--index", NULL, &d->where.index, NULL},
        {"--user", NULL, &d->where.user, NULL},
        {"--api-key", NULL, &d->where.api_key, NULL},
        {"--ca-file", NULL, &d->where.ca_file, NULL},
    };

    int rc = take_fixes(d, &argc, argv);

    if (rc == 0)
        rc =
            args_parse("dead", argc, argv, options, sizeof options / sizeof options[0], on_word, d);
    if (rc || !d->without)
        return rc;
    if (d->n_fixes == FIXES_MAX)
        return usage_error("dead", "--fix: more than %d of them", FIXES_MAX);
    d->fixes[d->n_fixes++] =
        (struct letter_fix){LETTER_FIX_REMOVE, slice_str(d->without), (struct slice){0}};
    return 0;
}

static int print(struct buffer *text)
{
    bool is_printed = !text->failed && fwrite(text->ptr, 1, text->len, stdout) == text->len &&
                      fflush(stdout) == 0;

    buffer_free(text);
    if (is_printed)
        return EXIT_DONE;
    fputs("ship: error: standard output: not all of it could be written\n", stderr);
    return EXIT_FAILED;
}

static int tell_none(const struct dead *d)
{
    bool is_there = access(d->place.directory, F_OK) == 0;

    printf("no dead letters in %s%s\n", d->place.directory,
           is_there ? "" : ": there is no such directory");
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* --- list and show --------------------------------------------------------------------------- */

static int list(struct dead *d, struct err *e)
{
    struct tally *t = calloc(1, sizeof *t);
    struct buffer page = {0};
    int rc;

    if (!t)
        return err_set(e, ERR_NOMEM, "out of memory");
    rc = tally_files(t, &d->files, e);
    if (rc == 0 && !t->n_letters) {
        rc = tell_none(d);
    } else if (rc == 0) {
        tally_render(t, d->place.directory, &page);
        rc = print(&page);
    }
    tally_fini(t);
    free(t);
    return rc;
}

static int show_one(struct dead *d, struct one *one)
{
    struct buffer page = {0};

    if (!one->at && !d->word)
        return tell_none(d);
    if (!one->at) {
        fprintf(stderr, "ship: of the %llu letter%s in %s none is \"%.60s\"\n",
                (unsigned long long)one->n_seen, plural_s(one->n_seen), d->place.directory,
                d->word);
        return EXIT_FAILED;
    }
    if (d->is_json) {
        buffer_add_slice(&page, buffer_slice(&one->line));
        buffer_add_char(&page, '\n');
    } else {
        one_render(one, &page);
    }
    return print(&page);
}

static int show(struct dead *d, struct err *e)
{
    struct one one = {0};
    int rc = one_find(&one, d->word, &d->files, e);

    if (rc == 0)
        rc = show_one(d, &one);
    one_fini(&one);
    return rc;
}

/* --- what changes the files ------------------------------------------------------------------ */

/* From now on no ship appends to any of the files in d->files, and no other `ship dead` is at work.
 */
static int take_files(struct dead *d, struct err *e)
{
    d->lock = letter_files_lock(d->place.directory, e);
    if (d->lock < 0 || letter_files_put_aside(d->place.directory, e) < 0)
        return -1;
    letter_files_free(&d->files);
    if (letter_files_list(d->place.directory, &d->files, e) < 0)
        return -1;
    /* A ship has begun another in the meantime: it is the last, and not ours. */
    if (d->files.n && slice_ends(slice_str(d->files.paths[d->files.n - 1]),
                                 (struct slice)SLICE_LIT("/" LETTER_FILE)))
        free(d->files.paths[--d->files.n]);
    return 0;
}

static int find_target(struct dead *d, struct send_plan *plan, struct err *e)
{
    if (!d->to) {
        plan->config = d->place.config;
        return 0;
    }
    d->target = config_new();
    if (!d->target)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (d->place.config)
        d->target->global = d->place.config->global;
    if (!d->where.api_key)
        d->where.api_key = getenv("SHIP_API_KEY");
    if (!d->where.user)
        d->where.user = getenv("SHIP_USER");
    if (where_add_output(d->target, d->to, &d->where, e) < 0 || config_finish(d->target, e) < 0)
        return -1;
    plan->config = d->target;
    plan->to_one = true;
    return 0;
}

static int tell_sent(const struct send_totals *t)
{
    printf("%llu delivered, %llu there already, %llu refused again, %llu not sent\n",
           (unsigned long long)t->delivered, (unsigned long long)t->duplicates,
           (unsigned long long)t->refused, (unsigned long long)t->not_sent);
    if (t->refused)
        puts("what was refused stays, with its new reason: ship dead list");
    if (t->not_sent)
        puts("what was not sent stays: lines that are no letters, and letters of outputs that the "
             "configuration has not (--to WHERE sends those elsewhere)");
    if (fflush(stdout) != 0)
        return EXIT_FAILED;
    return t->refused || t->not_sent ? EXIT_DEAD_LETTERS : EXIT_DONE;
}

static int send_all(struct dead *d, const struct send_plan *plan, struct err *e)
{
    struct send_totals totals = {0};

    if (take_files(d, e) < 0)
        return -1;
    if (send_letters(plan, &d->files, &totals, e) == 0)
        return tell_sent(&totals);
    report_error(e);
    fprintf(stderr,
            "ship: %llu delivered, %llu there already, %llu refused again; the other letters stay, "
            "and can be sent once more: what is there already is not repeated\n",
            (unsigned long long)totals.delivered, (unsigned long long)totals.duplicates,
            (unsigned long long)totals.refused);
    return EXIT_FAILED;
}

static int replay(struct dead *d, struct err *e)
{
    struct send_plan plan = {.fixes = d->fixes, .n_fixes = d->n_fixes};
    int rc;

    if (d->to && strcmp(d->to, "-") == 0)
        return usage_error("dead", "--to - keeps nothing: `ship dead show` prints letters");
    if (!d->to && !d->place.config)
        return usage_error("dead", "replay wants --to WHERE, or a configuration with outputs");
    rc = find_target(d, &plan, e);
    where_hide(&d->where, d->to);
    if (rc < 0)
        return -1;
    if (!d->files.n)
        return tell_none(d);
    plan.log = log_new(STDERR_FILENO, LOG_WARN, false);
    rc = send_all(d, &plan, e);
    log_free(plan.log);
    return rc;
}

struct drop {
    const char *type; /* NULL: all */
    struct json_object scan;
    uint64_t n_dropped;
    uint64_t n_kept;
};

static bool is_dropped(struct drop *drop, struct slice line)
{
    struct letter letter;
    struct buffer type = {0};
    bool is_it;

    if (!drop->type)
        return true;
    if (!letter_read(line, &drop->scan, &letter))
        return strcmp(drop->type, TALLY_UNREADABLE) == 0;
    json_unescape(letter.type, &type);
    is_it = !type.failed && slice_is(buffer_slice(&type), drop->type);
    buffer_free(&type);
    return is_it;
}

static void on_letter(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    struct drop *drop = ctx;

    (void)offset;
    if (is_dropped(drop, line)) {
        drop->n_dropped++;
        return;
    }
    drop->n_kept++;
    buffer_add_slice(out, line);
    buffer_add_char(out, '\n');
}

static int drop_letters(struct dead *d, struct err *e)
{
    struct drop drop = {.type = d->type};
    int rc = 0;

    if (!d->type == !d->is_all)
        return usage_error("dead", "drop wants --type TYPE or --all, one of the two");
    if (!d->files.n)
        return tell_none(d);
    if (take_files(d, e) < 0)
        return -1;
    for (size_t i = 0; i < d->files.n && rc == 0; i++)
        rc = letter_file_make_anew(&disk_posix, d->files.paths[i], on_letter, &drop, e);
    json_object_free(&drop.scan);
    if (rc == 0) {
        printf("%llu dropped, %llu kept\n", (unsigned long long)drop.n_dropped,
               (unsigned long long)drop.n_kept);
        rc = fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    return rc;
}

/* --- the verb -------------------------------------------------------------------------------- */

/* The exit code, or -1 and *e. */
typedef int action_fn(struct dead *d, struct err *e);

static const struct {
    const char *name;
    action_fn *run;
} actions[] = {{"list", list}, {"show", show}, {"replay", replay}, {"drop", drop_letters}};

static int no_action(const char *name)
{
    struct nearest near;

    if (!name)
        return usage_error("dead", "want list, show, replay or drop");
    nearest_init(&near, slice_str(name));
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        nearest_offer(&near, actions[i].name);
    if (near.name)
        return usage_error("dead", "\"%.60s\" is unknown; did you mean \"%s\"?", name, near.name);
    return usage_error("dead", "\"%.60s\" is unknown; want list, show, replay or drop", name);
}

static action_fn *find_action(const char *name)
{
    for (size_t i = 0; name && i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, name) == 0)
            return actions[i].run;
    return NULL;
}

static int act(struct dead *d)
{
    action_fn *action = find_action(d->action);
    bool wants_config = action == replay && !d->to;
    struct err e = {0};
    int rc = -1;

    if (!action)
        return no_action(d->action);
    if (place_find(&d->place, d->directory, d->config_path, wants_config, &e) == 0 &&
        letter_files_list(d->place.directory, &d->files, &e) == 0)
        rc = action(d, &e);
    return rc < 0 ? report_error(&e) : rc;
}

static int run(int argc, char **argv)
{
    struct dead d = {.lock = -1};
    int rc = parse(&d, argc, argv);

    if (rc == 0)
        rc = act(&d);
    if (d.lock >= 0)
        close(d.lock);
    letter_files_free(&d.files);
    config_free(d.target);
    place_fini(&d.place);
    return rc;
}

const struct verb verb_dead = {
    .name = "dead",
    .synopsis = "dead list | show [ID | N] | replay [--to WHERE] |\n"
                "       drop (--type TYPE | --all)\n"
                "       [-c FILE] [--dir DIR] [--json] [--fix HOW]... [--without FIELD]\n"
                "       [--index NAME] [--user NAME:PASSWORD] [--api-key KEY] [--ca-file FILE]",
    .summary = "events that were refused for good: list, show, send again, drop",
    .help = "list     how many, by output, status and type\n"
            "show     one: the Nth, or by its event's id or how that begins; else the newest\n"
            "replay   sends them again, each to the output that refused it; what got\n"
            "         delivered leaves the files, what is refused again stays. What is\n"
            "         sent is the document as it was, under the id that it had, so\n"
            "         nothing doubles. For a changed parser, replay the log file itself\n"
            "         (ship --replay), then the letters: they are there already\n"
            "drop     throws them away, without asking\n"
            "  --dir DIR            their directory; else that of the configuration, or\n"
            "                       ship-state/dead if there is one here\n"
            "  -c, --config FILE    the configuration (default /etc/ship/ship.yaml)\n"
            "  --to WHERE           (replay) all of them there: local:FILE or\n"
            "                       http(s)://HOST:PORT\n"
            "  --fix HOW            (replay) mends the documents first, in the order given:\n"
            "                       'FIELD=TEXT', '-FIELD' (without it), 'OLD->NEW'\n"
            "                       (another name), 'FIELD:string' (as text). A field by its\n"
            "                       whole path\n"
            "  --without FIELD      the same as --fix -FIELD\n"
            "  --type TYPE, --all   (drop) those of one type, as list names it, or all\n"
            "  --json               (show) the letter as it is in the file\n"
            "  --index NAME, --user NAME:PASSWORD, --api-key KEY, --ca-file FILE\n"
            "                       as for ship --replay\n"
            "A ship that runs is not disturbed: it begins another file.\n"
            "Exit codes: 0 done, 1 failed, 2 usage, 3 some letters were refused again or not\n"
            "sent.\n",
    .run = run,
};
