/* ship help: one screen for all, one for each verb, and the options of each input, parser, output.
 */
#include <stdio.h>
#include <string.h>

#include "config/registry.h"
#include "config/schema.h"
#include "shipper/base/buffer.h"
#include "shipper/base/nearest.h"
#include "shipper/verbs/verbs.h"

static void list(FILE *to)
{
    fputs("ship " SHIP_VERSION
          ": brings the logs of cloud functions home, each line with its request\n\n",
          to);
    for (size_t i = 0; verbs[i]; i++)
        fprintf(to, "  ship %-9s %s\n",
                strcmp(verbs[i]->name, "replay") ? verbs[i]->name : "--replay", verbs[i]->summary);
    fputs("\nTry:\n"
          "  ship --replay app.log                          its events, as JSON lines\n"
          "  ship --replay app.log --to local:logs.db       into an embedded store\n"
          "  ship trace REQUEST-ID --from local:logs.db     the story of one request\n"
          "  ship --replay '/logs/**/*.log' --to https://es:9200\n"
          "  ship check -c ship.yaml && ship -c ship.yaml   follow, as a service\n\n"
          "More: ship help VERB; ship help config; ship help TYPE, as file; man ship\n"
          "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 with dead letters\n",
          to);
}

int verb_show_help(const struct verb *v)
{
    printf("usage: ship %s\n\n%s", v->synopsis, v->help);
    return EXIT_DONE;
}

static int unknown(const char *name)
{
    struct registry_entry entry;
    struct nearest near;

    nearest_init(&near, slice_str(name));
    for (size_t i = 0; verbs[i]; i++)
        nearest_offer(&near, verbs[i]->name);
    for (enum registry_kind kind = 0; kind < REGISTRY_KINDS; kind++)
        for (size_t i = 0; registry_entry(kind, i, &entry); i++)
            nearest_offer(&near, entry.name);
    if (near.name)
        return usage_error(NULL,
                           "no verb, input, parser or output is called \"%.40s\"; did you mean "
                           "\"%s\"?",
                           name, near.name);
    return usage_error(NULL, "no verb, input, parser or output is called \"%.40s\"", name);
}

static int run(int argc, char **argv)
{
    const struct verb *v;
    struct buffer text = {0};
    bool is_known;

    if (argc < 2) {
        list(stdout);
        return EXIT_DONE;
    }
    v = verb_find(strcmp(argv[1], "--replay") == 0 ? "replay" : argv[1]);
    if (v)
        return verb_show_help(v);
    is_known = strcmp(argv[1], "config") == 0;
    if (is_known)
        schema_help_file(&text);
    else
        is_known = schema_help_type(argv[1], &text);
    if (is_known)
        fwrite(text.ptr, 1, text.len, stdout);
    buffer_free(&text);
    if (is_known)
        return EXIT_DONE;
    return unknown(argv[1]);
}

const struct verb verb_help = {
    .name = "help",
    .synopsis = "help [VERB | config | TYPE]",
    .summary = "this list, a verb, or what can be configured",
    .help = "Without a name: the list of verbs. `ship help config`: what a configuration\n"
            "looks like, and the types of inputs, parsers and outputs. TYPE: one of those,\n"
            "as file, regex or elasticsearch, with all its options.\n",
    .run = run,
};
