#include <criterion/criterion.h>

#include "shipper/base/nearest.h"

Test(config_nearest, distances)
{
    static const struct {
        const char *a;
        const char *b;
        unsigned want;
    } rows[] = {
        {"", "", 0},           {"", "abc", 3},          {"abc", "", 3},
        {"hosts", "hosts", 0}, {"host", "hosts", 1},    {"hsots", "hosts", 1},
        {"HOSTS", "hosts", 0}, {"paths", "patches", 2}, {"kitten", "sitting", 3},
        {"ca", "abc", 3}, /* optimal string alignment: a letter moves once */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(nearest_distance(slice_str(rows[i].a), slice_str(rows[i].b)), rows[i].want,
                     "%s, %s", rows[i].a, rows[i].b);
}

Test(config_nearest, the_name_that_was_meant)
{
    static const char *const names[] = {"hosts",      "index",       "api_key", "tls.ca_file",
                                        "tls.verify", "concurrency", "user",    "id"};
    static const struct {
        const char *word;
        const char *want; /* "" none */
    } rows[] = {
        {"host", "hosts"},
        {"hsots", "hosts"},
        {"apikey", "api_key"},
        {"api-key", "api_key"},
        {"API_KEY", "api_key"},
        {"ca_file", "tls.ca_file"},
        {"tsl", "tls.ca_file"}, /* a map of its own; the first in it */
        {"tls.cafile", "tls.ca_file"},
        {"verfiy", "tls.verify"},
        {"concurency", "concurrency"},
        {"concurrent", "concurrency"},
        {"users", "user"},
        {"usr", "user"},
        {"x", ""},
        {"password", ""},
        {"", ""},
        {"ia", ""}, /* too short to tell */
        {"ID", "id"},
        {"a_word_that_is_much_longer_than_any_name_that_there_is", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nearest n;

        nearest_init(&n, slice_str(rows[i].word));
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
            nearest_offer(&n, names[j]);
        cr_expect_str_eq(n.name ? n.name : "", rows[i].want, "%s gave %s", rows[i].word,
                         n.name ? n.name : "nothing");
    }
}
