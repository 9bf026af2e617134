/* ship schema: the JSON schema of the configuration, for editors. */
#include <stdio.h>

#include "config/schema.h"
#include "shipper/verbs/verbs.h"

static int run(int argc, char **argv)
{
    struct buffer text = {0};
    int rc = EXIT_DONE;

    if (argc > 1)
        return usage_error("schema", "\"%.60s\" is too much", argv[1]);
    schema_write(&text);
    if (text.failed || fwrite(text.ptr, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
        rc = EXIT_FAILED;
    buffer_free(&text);
    return rc;
}

const struct verb verb_schema = {
    .name = "schema",
    .synopsis = "schema",
    .summary = "the JSON schema of the configuration, for editors",
    .help = "Prints the schema on standard output; config/schema/ship.schema.json is a copy.\n",
    .run = run,
};
