#include <criterion/criterion.h>

#include "parsers/ecs_fields.h"

Test(ecs_fields, names)
{
    const struct ecs_field *f = ecs_field_find(slice_str("http.response.status_code"));

    cr_assert(f);
    cr_expect_eq(f->type, ECS_LONG);
    cr_expect(ecs_field_find(slice_str("client.address")), "the first");
    cr_expect(ecs_field_find(slice_str("user_agent.version")), "the last");
    cr_expect_null(ecs_field_find(slice_str("http.response.status_cod")));
    cr_expect_null(ecs_field_find(slice_str("http.response")));
    cr_expect_null(ecs_field_find(slice_str("status_code")));
    cr_expect_null(ecs_field_find(slice_str("log.level")), "ship's own");
    cr_expect_null(ecs_field_find(slice_str("")));
}

Test(ecs_fields, values_that_their_mapping_takes)
{
    static const struct {
        enum ecs_type type;
        const char *text;
        bool fits;
    } rows[] = {
        {ECS_KEYWORD, "GET", true},
        {ECS_KEYWORD, "", false},
        {ECS_KEYWORD, "-", false},
        {ECS_LONG, "200", true},
        {ECS_LONG, "-1", true},
        {ECS_LONG, "0", true},
        {ECS_LONG, "200.0", false},
        {ECS_LONG, "0200", false},
        {ECS_LONG, "1e3", false},
        {ECS_LONG, "+1", false},
        {ECS_LONG, "-", false},
        {ECS_LONG, "999999999999999999", true},
        {ECS_LONG, "9999999999999999999", false},
        {ECS_IP, "10.0.0.1", true},
        {ECS_IP, "255.255.255.255", true},
        {ECS_IP, "0.0.0.0", true},
        {ECS_IP, "256.0.0.1", false},
        {ECS_IP, "10.0.0.01", false},
        {ECS_IP, "10.0.0", false},
        {ECS_IP, "10.0.0.1.2", false},
        {ECS_IP, "10..0.1", false},
        {ECS_IP, "10.0.0.", false},
        {ECS_IP, "10.0.0.1:80", false},
        {ECS_IP, "2001:db8::1", true},
        {ECS_IP, "::ffff:10.0.0.1", true},
        {ECS_IP, "[2001:db8::1]", false},
        {ECS_IP, "2001:db8::1%eth0", false},
        {ECS_IP, "localhost", false},
        {ECS_IP, "::", true},
        {ECS_IP, "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0001", false},
        {ECS_OBJECT, "{}", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ecs_field field = {SLICE_LIT("x.y"), rows[i].type};
        struct value value = {.kind = VALUE_NONE};
        bool fits = ecs_field_value(&field, slice_str(rows[i].text), &value);

        cr_expect_eq(fits, rows[i].fits, "%d: %s", rows[i].type, rows[i].text);
        cr_expect_eq(value.kind, !fits                      ? VALUE_NONE
                                 : rows[i].type == ECS_LONG ? VALUE_JSON
                                                            : VALUE_TEXT);
    }
}

Test(ecs_fields, a_keyword_has_room_in_an_index_term)
{
    static char text[8193];
    static const struct ecs_field field = {SLICE_LIT("x.y"), ECS_KEYWORD};
    struct value value;

    memset(text, 'x', sizeof text);
    cr_expect(ecs_field_value(&field, slice_of(text, 8192), &value));
    cr_expect_not(ecs_field_value(&field, slice_of(text, 8193), &value));
}

Test(ecs_fields, a_slice_with_a_nul_is_no_address)
{
    static const char text[] = "::1\0";

    cr_expect_not(ecs_is_ip(slice_of(text, sizeof text - 1)));
}
