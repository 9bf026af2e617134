#include "shipper/observe/health.h"

static void say_stalled(const struct snapshot_output *o, struct buffer *why)
{
    char text[sizeof o->trouble.what + sizeof o->trouble.where + 4];

    buffer_printf(why, "output %s: no event got through for %lld s, %llu wait", o->name,
                  (long long)(o->view.stalled_ms / 1000), (unsigned long long)o->in_flight);
    if (o->trouble.code != ERR_NONE)
        buffer_printf(why, ": %s", err_text(&o->trouble, text, sizeof text));
    buffer_add_char(why, '\n');
}

bool health_is_ready(const struct snapshot *s, struct buffer *why)
{
    bool is_ready = true;

    for (size_t i = 0; i < s->n_outputs; i++) {
        if (s->outputs[i].view.stalled_ms < HEALTH_STALLED_MS)
            continue;
        say_stalled(&s->outputs[i], why);
        is_ready = false;
    }
    return is_ready;
}
