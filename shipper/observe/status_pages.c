#include "shipper/observe/status_pages.h"

#include <string.h>

#include "shipper/observe/health.h"
#include "shipper/observe/metrics.h"

typedef void page_fn(const struct snapshot *s, struct status_answer *answer);

static void show_metrics(const struct snapshot *s, struct status_answer *answer)
{
    answer->content_type = METRICS_CONTENT_TYPE;
    metrics_write(s, &answer->body);
}

/* That it answers says it all: the loop turns. */
static void show_healthz(const struct snapshot *s, struct status_answer *answer)
{
    (void)s;
    buffer_add_lit(&answer->body, "ok\n");
}

static void show_readyz(const struct snapshot *s, struct status_answer *answer)
{
    if (health_is_ready(s, &answer->body))
        buffer_add_lit(&answer->body, "ok\n");
    else
        answer->status = 503;
}

static const struct {
    const char *path;
    page_fn *show;
} pages[] = {{"/metrics", show_metrics}, {"/healthz", show_healthz}, {"/readyz", show_readyz}};

void status_page(const char *path, const struct snapshot *s, struct status_answer *answer)
{
    answer->status = 200;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(pages[i].path, path) == 0) {
            pages[i].show(s, answer);
            return;
        }
    }
    answer->status = 404;
    buffer_add_lit(&answer->body, "here are:");
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        buffer_printf(&answer->body, " %s", pages[i].path);
    buffer_add_char(&answer->body, '\n');
}
