#include <criterion/criterion.h>
#include <string.h>

#include "outputs/es_hosts.h"

Test(es_hosts, urls)
{
    static const struct {
        const char *text;
        const char *url;
        const char *user;
        const char *password;
    } rows[] = {
        {"http://es", "http://es:9200", "", ""},
        {"https://es.example.com:443/", "https://es.example.com:443", "", ""},
        {"http://127.0.0.1:1", "http://127.0.0.1:1", "", ""},
        {"http://[::1]:9200", "http://[::1]:9200", "", ""},
        {"https://proxy/es/", "https://proxy:9200/es", "", ""},
        {"https://proxy/a/b//", "https://proxy:9200/a/b", "", ""},
        {"https://me:secret@es:9200", "https://es:9200", "me", "secret"},
        {"https://me:p%40ss%2F@es", "https://es:9200", "me", "p@ss/"},
        {"https://me@es", "https://es:9200", "me", ""},
        {"HTTP://es", "http://es:9200", "", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct es_host host;
        struct err e = {0};

        cr_expect_eq(es_host_parse(rows[i].text, &host, &e), 0, "%s: %s", rows[i].text, e.what);
        cr_expect_str_eq(host.url, rows[i].url);
        cr_expect_str_eq(host.user, rows[i].user);
        cr_expect_str_eq(host.password, rows[i].password);
    }
}

Test(es_hosts, what_is_no_host)
{
    char of_500[512] = "https://me:topsecret@";
    const char *const rows[] = {"",
                                "es:9200",
                                "htps://me:topsecret@es",
                                "ftp://me:topsecret@es",
                                "file:///etc/passwd",
                                "http://",
                                "http://me:topsecret@",
                                "http://me:topsecret@es:99999",
                                "http://me:topsecret@es:port",
                                "http://es/?pretty",
                                "http://e s/",
                                of_500};

    memset(of_500 + strlen(of_500), 'h', 480);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct es_host host;
        struct err e = {0};

        cr_expect_eq(es_host_parse(rows[i], &host, &e), -1, "%s", rows[i]);
        cr_expect_eq(e.code, ERR_CONFIG, "%s", rows[i]);
        cr_expect_null(strstr(e.what, "topsecret"), "a message holds no secret: %s", e.what);
    }
}

static struct es_hosts three(void)
{
    static const char *urls[] = {"http://a", "http://b", "http://c"};
    struct es_hosts h;

    cr_assert_eq(es_hosts_init(&h, &(struct option_list){urls, 3}, NULL), 0);
    return h;
}

static char name_of(const struct es_host *host)
{
    return host->url[strlen("http://")];
}

Test(es_hosts, take_turns)
{
    struct es_hosts h = three();
    char turns[8] = "";

    for (int i = 0; i < 7; i++)
        turns[i] = name_of(es_hosts_choose(&h, 1000));
    cr_expect_str_eq(turns, "abcabca");
    es_hosts_fini(&h);
}

Test(es_hosts, one_that_fails_rests_longer_each_time)
{
    struct es_hosts h = three();
    struct es_host *b = &h.hosts[1];
    static const int64_t rests[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    int64_t now = 5000;

    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        es_host_failed(b, now);
        cr_expect_eq(b->rests_until_ms, now + rests[i]);
        for (int k = 0; k < 6; k++)
            cr_expect_neq(es_hosts_choose(&h, now + rests[i] - 1), b, "the others take its share");
        now += rests[i];
        cr_expect(es_hosts_choose(&h, now) == b || es_hosts_choose(&h, now) == b ||
                      es_hosts_choose(&h, now) == b,
                  "and then it is tried");
    }
    es_host_good(b);
    es_host_failed(b, now);
    cr_expect_eq(b->rests_until_ms, now + 1000, "what it did long ago is forgotten");
    es_hosts_fini(&h);
}

Test(es_hosts, when_all_rest_the_next_to_come_back_is_tried)
{
    struct es_hosts h = three();

    es_host_failed(&h.hosts[0], 5000);
    es_host_failed(&h.hosts[0], 5000);
    es_host_failed(&h.hosts[1], 5500);
    es_host_failed(&h.hosts[2], 5200);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(name_of(es_hosts_choose(&h, 5600)), 'c');
    cr_expect_eq(name_of(es_hosts_choose(&h, 6600)), 'b');
    es_hosts_fini(&h);
}

Test(es_hosts, a_list_with_a_bad_one)
{
    static const char *urls[] = {"http://a", "https://me:topsecret@"};
    struct es_hosts h;
    struct err e;

    cr_expect_eq(es_hosts_init(&h, &(struct option_list){urls, 2}, &e), -1);
    cr_expect_str_eq(e.where, "hosts[1]");
    cr_expect_eq(es_hosts_init(&h, &(struct option_list){urls, 0}, &e), -1);
    cr_expect_str_eq(e.what, "want at least one host");
}
