#include <criterion/criterion.h>
#include <string.h>

#include "shipper/observe/status_address.h"

Test(status_address, what_is_read)
{
    static const struct {
        const char *text;
        int rc;
        enum status_kind kind;
        bool is_local;
    } rows[] = {
        {"none", 0, STATUS_NONE, true},
        {"unix:/run/ship.sock", 0, STATUS_UNIX, true},
        {"unix:ship.sock", 0, STATUS_UNIX, true},
        {"127.0.0.1:9598", 0, STATUS_TCP, true},
        {"127.8.9.1:0", 0, STATUS_TCP, true},
        {"localhost:9598", 0, STATUS_TCP, true},
        {"[::1]:9598", 0, STATUS_TCP, true},
        {"0.0.0.0:9598", 0, STATUS_TCP, false},
        {"10.1.2.3:80", 0, STATUS_TCP, false},
        {"[::]:80", 0, STATUS_TCP, false},
        {"[2001:db8::1]:65535", 0, STATUS_TCP, false},
        {"", -1, 0, 0},
        {"unix:", -1, 0, 0},
        {"9598", -1, 0, 0},
        {":9598", -1, 0, 0},
        {"example.com:80", -1, 0, 0}, /* no name is looked up */
        {"127.0.0.1:", -1, 0, 0},
        {"127.0.0.1:65536", -1, 0, 0},
        {"127.0.0.1:-1", -1, 0, 0},
        {"127.0.0.1:80x", -1, 0, 0},
        {"::1:80", -1, 0, 0},
        {"[::1]", -1, 0, 0},
        {"[127.0.0.1]:80", -1, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct status_address a;
        struct err e = {0};
        int rc = status_address_parse(rows[i].text, &a, &e);

        cr_expect_eq(rc, rows[i].rc, "%s: %s", rows[i].text, e.what);
        if (rc < 0)
            continue;
        cr_expect_eq(a.kind, rows[i].kind, "%s", rows[i].text);
        cr_expect_eq(status_address_is_local(&a), rows[i].is_local, "%s", rows[i].text);
    }
}

Test(status_address, a_path_longer_than_the_kernel_takes)
{
    char text[200] = "unix:/";
    struct status_address a;
    struct err e = {0};

    memset(text + 6, 'x', 106);
    cr_expect_eq(status_address_parse(text, &a, &e), 0, "107 bytes fit");
    text[112] = 'x';
    cr_expect_eq(status_address_parse(text, &a, &e), -1);
    cr_expect_str_eq(e.what, "the socket's path has 108 bytes, and the system allows 107; name a "
                             "shorter one as status.listen");
}
