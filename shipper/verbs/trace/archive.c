#include "shipper/verbs/trace/archive.h"
#include "outputs/local_options.h"

struct archive *archive_open(const struct output_config *output, struct err *e)
{
    if (output->ops == &output_local)
        return archive_local_open(((const struct local_options *)output->options)->path, e);
    if (output->ops == &output_elasticsearch)
        return archive_elastic_open(output->options, e);
    err_set(e, ERR_CONFIG,
            "what went to the output \"%s\" cannot be read back; want local:FILE or "
            "http(s)://HOST:PORT",
            output->ops->name);
    return NULL;
}
