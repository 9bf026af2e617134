#include <criterion/criterion.h>

#include "parsers/csv.h"
#include "tests/support/record_text.h"

static const char *const columns[] = {"time", "level", "-",
                                      "user", "took",  "http.response.status_code"};

static struct csv_options of_columns(size_t n)
{
    return (struct csv_options){
        .columns = {(const char **)columns, n}, .delimiter = ",", .quote = "\""};
}

static void check(const struct csv_options *options, const struct record_row *rows, size_t n)
{
    struct err e = {0};
    struct parser p = {&parser_csv, parser_csv.make(options, &e)};

    cr_assert(p.self, "%s: %s", e.where, e.what);
    record_rows_check(&p, rows, n);
    parser_free(&p);
}

#define CHECK(options, rows) check((options), (rows), sizeof(rows) / sizeof(rows)[0])

Test(csv, columns)
{
    static const struct record_row rows[] = {
        {"all", "2026-10-09T08:53:20Z,WARN,x,Bob,1.5,200",
         "time=" T "000000000 level=warn http.response.status_code=200 [user]=\"Bob\" [took]=1.5"},
        {"quotes", "2026-10-09T08:53:20Z,\"WARN\",\"a,b\",\"say \"\"hi\"\"\",2,404",
         "time=" T "000000000 level=warn http.response.status_code=404 [user]=\"say \"hi\"\" "
         "[took]=2"},
        {"empty ones", ",,,,,",
         "[time]=\"\" [level]=\"\" [user]=\"\" [took]=\"\" [http.response.status_code]=\"\""},
        {"what does not fit its type stays text", "soon,x,,Bob,long,none",
         "level?=x [time]=\"soon\" [user]=\"Bob\" [took]=\"long\" "
         "[http.response.status_code]=\"none\""},
        {"the header", "time,level,anything,user,took,http.response.status_code",
         "message=\"time,level,anything,user,took,http.response.status_code\""},
        {"too few", "2026-10-09T08:53:20Z,WARN", "message=\"2026-10-09T08:53:20Z,WARN\" flags=16"},
        {"too many", ",,,,,,", "message=\",,,,,,\" flags=16"},
        {"an open quote", ",,,,,\"a", "message=\",,,,,\"a\" flags=16"},
        {"an open quote that ends doubled", ",,,,,\"a\"\"", "message=\",,,,,\"a\"\"\" flags=16"},
        {"something behind a quote", "\"a\"b,,,,,", "message=\"\"a\"b,,,,,\" flags=16"},
        {"a quote inside", "a\"b,,,,,",
         "[time]=\"a\"b\" [level]=\"\" [user]=\"\" [took]=\"\" [http.response.status_code]=\"\""},
        {"an empty quoted one, last", ",,,,1,\"\"",
         "[time]=\"\" [level]=\"\" [user]=\"\" [took]=1 [http.response.status_code]=\"\""},
        {"a platform line", "END RequestId: " ID, "kind=end request=" ID},
    };
    struct csv_options options = of_columns(6);
    const char *key = "took";
    const char *type = "float";

    options.types = (struct option_map){&key, &type, 1};
    CHECK(&options, rows);
}

Test(csv, tabs_and_no_quotes)
{
    static const struct record_row rows[] = {
        {"tabs", "2026-10-09T08:53:20Z\tINFO\t\t\"Bob",
         "time=" T "000000000 level=info "
         "[user]=\"\"Bob\""},
        {"empty ones at the end", "2026-10-09T08:53:20Z\t\t\t",
         "time=" T "000000000 [level]=\"\" [user]=\"\""},
    };
    struct csv_options options = of_columns(4);

    options.delimiter = "tab";
    options.quote = "none";
    CHECK(&options, rows);
}

Test(csv, names_are_escaped)
{
    static const struct record_row rows[] = {{"a quote", "1", "[a\\\"b]=\"1\""}};
    const char *name = "a\"b";
    struct csv_options options = of_columns(1);

    options.columns = (struct option_list){&name, 1};
    CHECK(&options, rows);
}

Test(csv, options_that_do_not_work)
{
    static const char *twice[] = {"a", "b", "a"};
    static const char *key = "a";
    static const char *integer = "integer";
    static const char *other = "z";
    static const char *string = "string";
    const struct {
        struct csv_options options;
        const char *where;
    } rows[] = {
        {{.columns = {twice, 3}, .delimiter = ",", .quote = "\""}, "columns[2]"},
        {{.columns = {twice, 2}, .delimiter = ",,", .quote = "\""}, "delimiter"},
        {{.columns = {twice, 2}, .delimiter = "", .quote = "\""}, "delimiter"},
        {{.columns = {twice, 2}, .delimiter = ",", .quote = "\xC2"}, "quote"},
        {{.columns = {twice, 2}, .delimiter = ",", .quote = ","}, "quote"},
        {{.columns = {twice, 2}, .types = {&key, &integer, 1}, .delimiter = ",", .quote = "\""},
         "types.a"},
        {{.columns = {twice, 2}, .types = {&other, &string, 1}, .delimiter = ",", .quote = "\""},
         "types.z"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {0};

        cr_expect_null(parser_csv.make(&rows[i].options, &e), "%zu", i);
        cr_expect_str_eq(e.where, rows[i].where, "%zu: %s", i, e.what);
    }
}
