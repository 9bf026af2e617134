#include <criterion/criterion.h>

#include "parsers/arn.h"

Test(arn, parts)
{
    static const struct {
        const char *text, *service, *region, *account, *resource; /* service NULL: no ARN */
        const char *because;
    } rows[] = {
        {"arn:aws:lambda:eu-west-1:123456789012:function:f:42", "lambda", "eu-west-1",
         "123456789012", "function:f:42", "a function's"},
        {"arn:aws:lambda:eu-west-1::runtime:e3f5", "lambda", "eu-west-1", "", "runtime:e3f5",
         "a runtime's has no account"},
        {"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f", "lambda", "us-gov-west-1",
         "123456789012", "function:f", "another partition"},
        {"arn:aws:s3:::bucket", "s3", "", "", "bucket", "neither region nor account"},
        {"arn:gcp:lambda:eu-west-1:123456789012:function:f", NULL, "", "", "", "no partition"},
        {"arn:aws:lambda:eu-west-1:1234:function:f", NULL, "", "", "", "no account number"},
        {"arn:aws:lambda:eu\"west:123456789012:function:f", NULL, "", "", "", "no region"},
        {"arn:aws:lambda:eu-west-1:123456789012", NULL, "", "", "", "no resource"},
        {"arn:aws:lambda:eu-west-1:123456789012:", NULL, "", "", "", "an empty one"},
        {"", NULL, "", "", "", "nothing"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arn arn;
        bool is_one = arn_parse(slice_str(rows[i].text), &arn);

        cr_expect_eq(is_one, rows[i].service != NULL, "%s", rows[i].because);
        if (!is_one || !rows[i].service)
            continue;
        cr_expect(slice_is(arn.service, rows[i].service), "%s", rows[i].because);
        cr_expect(slice_is(arn.region, rows[i].region), "%s", rows[i].because);
        cr_expect(slice_is(arn.account, rows[i].account), "%s", rows[i].because);
        cr_expect(slice_is(arn.resource, rows[i].resource), "%s", rows[i].because);
    }
}
