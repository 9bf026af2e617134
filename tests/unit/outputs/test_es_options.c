#include <criterion/criterion.h>
#include <string.h>

#include "outputs/es_options.h"
#include "shipper/pipeline/event.h"

static const char *one_host[] = {"https://es:9200"};
static const char *two_hosts[] = {"http://127.0.0.1:9200", "http://es-2"};
static const char *with_user[] = {"http://me:topsecret@es"};
static const char *bad_host[] = {"htps://es"};

static struct es_options good(void)
{
    return (struct es_options){.hosts = {one_host, 1}, .index = "logs-x-default", .verify = true};
}

static char long_name[300];

Test(es_options, validate)
{
    static const struct {
        const char *where; /* NULL: fine */
        struct es_options o;
    } rows[] = {
#define ROW(where, ...)                                                                            \
    {                                                                                              \
        where,                                                                                     \
        {                                                                                          \
            .hosts = {one_host, 1}, .index = "logs-x-default", __VA_ARGS__                         \
        }                                                                                          \
    }
        ROW(NULL, .verify = true),
        ROW(NULL, .user = "me", .password = "topsecret"),
        ROW(NULL, .api_key = "id:topsecret"),
        ROW(NULL, .pipeline = "p"),
        ROW("user", .user = "me"),
        ROW("password", .password = "topsecret"),
        ROW("api_key", .user = "me", .password = "topsecret", .api_key = "id:topsecret"),
        ROW("api_key", .api_key = "topsecret\r"),
        ROW("api_key", .api_key = "topsecret\r\nX-Other: header"),
        ROW("password", .user = "me", .password = "top\nsecret"),
        ROW("pipeline", .pipeline = ""),
        ROW("pipeline", .pipeline = long_name),
#undef ROW
        {"api_key",
         {.hosts = {with_user, 1}, .index = "logs-x-default", .api_key = "id:topsecret"}},
        {"hosts[0]", {.hosts = {bad_host, 1}, .index = "logs-x-default"}},
        {"index", {.hosts = {one_host, 1}, .index = ""}},
        {"index", {.hosts = {one_host, 1}, .index = "Upper"}},
        {"index", {.hosts = {one_host, 1}, .index = "-x"}},
        {"index", {.hosts = {one_host, 1}, .index = "_bulk"}},
        {"index", {.hosts = {one_host, 1}, .index = ".."}},
        {"index", {.hosts = {one_host, 1}, .index = "a/b"}},
        {"index", {.hosts = {one_host, 1}, .index = "a?b"}},
        {"index", {.hosts = {one_host, 1}, .index = "a b"}},
        {"index", {.hosts = {one_host, 1}, .index = "a\nb"}},
        {"index", {.hosts = {one_host, 1}, .index = "a,b"}},
        {"index", {.hosts = {one_host, 1}, .index = long_name}},
        {NULL,
         {.hosts = {one_host, 1},
          .index = "logs-gr\xc3\xb6\xc3\x9f"
                   "e"}},
    };

    memset(long_name, 'n', 256);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {0};
        int want = rows[i].where ? -1 : 0;

        cr_expect_eq(es_validate(&rows[i].o, &e), want, "row %zu: %s: %s", i, e.where, e.what);
        cr_expect_str_eq(e.where, rows[i].where ? rows[i].where : "", "row %zu: %s", i, e.what);
        cr_expect_null(strstr(e.what, "secret"), "a message holds no secret: %s", e.what);
    }
}

static void expect_warning(struct es_options o, const char *want)
{
    struct buffer out = {0};

    es_warn(&o, &out);
    buffer_add_char(&out, '\0');
    if (*want)
        cr_expect(strstr(out.ptr, want), "\"%s\" says nothing of \"%s\"", out.ptr, want);
    else
        cr_expect_str_eq(out.ptr, "");
    cr_expect_null(strstr(out.ptr, "secret"), "a message holds no secret: %s", out.ptr);
    buffer_free(&out);
}

Test(es_options, warnings)
{
    struct es_options o = good();

    expect_warning(o, "");
    o.api_key = "id:topsecret";
    expect_warning(o, "");
    o.verify = false;
    expect_warning(o, "tls.verify is off");
    o = good();
    o.hosts = (struct option_list){two_hosts, 2};
    expect_warning(o, "");
    o.user = "me";
    o.password = "topsecret";
    expect_warning(o, "credentials go over plain http to http://es-2:9200:");
    o = good();
    o.hosts = (struct option_list){with_user, 1};
    expect_warning(o, "credentials go over plain http to http://es:9200:");
}

Test(es_options, what_is_only_called_like_this_machine_is_another)
{
    static const struct {
        char *host;
        const char *want;
    } rows[] = {
        {"http://localhost:9200", ""},
        {"http://127.0.0.53", ""},
        {"http://[::1]:9200/es", ""},
        {"http://localhost.example.org", "credentials go over plain http to http://localhost.ex"},
        {"http://127.example.org", "credentials go over plain http to http://127.example.org"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *hosts[] = {rows[i].host};
        struct es_options o = good();

        o.hosts = (struct option_list){hosts, 1};
        o.api_key = "id:topsecret";
        expect_warning(o, rows[i].want);
    }
}

static void expect_item(bool has_id, const char *begins)
{
    static const struct record record = {.coldstart = -1};
    struct stream_profile profile = {.has_id = has_id};
    struct event event = {.record = &record, .stream = &profile, .line = SLICE_LIT("a line")};
    struct es_options o = good();
    struct buffer body = {0};

    memcpy(event.id, "abcdefghijklmnopqrstuv", HASH_TEXT_LEN);
    es_encode(&o, &event, &body);
    cr_expect_not(body.failed);
    cr_expect(slice_starts(buffer_slice(&body), slice_str(begins)), "%.*s",
              SLICE_ARG(buffer_slice(&body)));
    cr_expect(slice_ends(buffer_slice(&body), slice_str("}\n")));
    cr_expect_eq(slice_find(buffer_slice(&body), slice_str("event.id")), -1,
                 "the id is the document's own");
    buffer_free(&body);
}

Test(es_options, items)
{
    expect_item(true, "{\"create\":{\"_id\":\"abcdefghijklmnopqrstuv\"}}\n{\"@timestamp\":");
    expect_item(false, "{\"create\":{}}\n{\"@timestamp\":");
}
