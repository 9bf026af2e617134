#include <criterion/criterion.h>
#include <string.h>

#include "shipper/observe/health.h"
#include "shipper/observe/metrics.h"

static struct snapshot one_of_each(const char *name)
{
    struct snapshot s;

    cr_assert(snapshot_init(&s, 1, 1));
    s.inputs[0].name = strdup(name);
    s.outputs[0].name = strdup(name);
    return s;
}

static void expect_text(const struct snapshot *s, const char *want, const char *because)
{
    struct buffer out = {0};

    metrics_write(s, &out);
    buffer_add_char(&out, '\0');
    cr_assert_not(out.failed);
    cr_expect(strstr(out.ptr, want), "%s: no %s in\n%s", because, want, out.ptr);
    buffer_free(&out);
}

Test(metrics, values_stand_under_their_names)
{
    struct snapshot s = one_of_each("es");

    s.outputs[0].in = UINT64_MAX;
    s.outputs[0].view.oldest_ms = 1500;
    s.outputs[0].view.batches[BATCH_HOLDING] = 7;
    s.inputs[0].stats.lost_bytes = 42;
    s.reloads_bad = 3;
    expect_text(&s, "\nship_events_in_total{output=\"es\"} 18446744073709551615\n", "to the event");
    expect_text(&s, "\nship_output_oldest_event_age_seconds{output=\"es\"} 1.5\n", "in seconds");
    expect_text(&s, "\nship_output_batches{output=\"es\",state=\"holding\"} 7\n", "by reason");
    expect_text(&s, "\nship_input_lost_bytes_total{input=\"es\"} 42\n", "losses");
    expect_text(&s, "\nship_config_reloads_total{result=\"bad\"} 3\n", "reloads");
    expect_text(&s, "\n# EOF\n", "the end");
    snapshot_free(&s);
}

Test(metrics, a_name_cannot_break_out_of_its_label)
{
    struct snapshot s = one_of_each("a\"} 1\nb\\");

    expect_text(&s, "ship_input_lines_total{input=\"a\\\"} 1\\nb\\\\\"} 0\n", "escaped");
    snapshot_free(&s);
}

Test(metrics, a_queue_is_told_of_where_there_is_one)
{
    struct snapshot s = one_of_each("es");
    struct buffer out = {0};

    metrics_write(&s, &out);
    buffer_add_char(&out, '\0');
    cr_expect_not(strstr(out.ptr, "ship_queue"));
    buffer_free(&out);
    s.outputs[0].has_queue = true;
    s.outputs[0].queue.bytes = 4096;
    expect_text(&s, "\nship_queue_bytes{output=\"es\"} 4096\n", "with a queue");
    snapshot_free(&s);
}

/* S5: red after a minute in which nothing got through, and why. */
Test(health, stalled_for_a_minute)
{
    struct snapshot s = one_of_each("es");
    struct buffer why = {0};

    s.outputs[0].in_flight = 12;
    s.outputs[0].view.stalled_ms = HEALTH_STALLED_MS - 1;
    cr_expect(health_is_ready(&s, &why));
    cr_expect_eq(why.len, 0);
    s.outputs[0].view.stalled_ms = HEALTH_STALLED_MS;
    err_set(&s.outputs[0].trouble, ERR_BUSY, "HTTP 503");
    err_at(&s.outputs[0].trouble, "http://es");
    cr_expect_not(health_is_ready(&s, &why));
    buffer_add_char(&why, '\0');
    cr_expect_str_eq(why.ptr,
                     "output es: no event got through for 60 s, 12 wait: http://es: HTTP 503\n");
    buffer_free(&why);
    snapshot_free(&s);
}
