#include <criterion/criterion.h>

#include "parsers/syslog.h"
#include "tests/support/record_text.h"

static const struct parser syslog_parser = {&parser_syslog, NULL};

#define PRI(n, facility, f, severity, s)                                                           \
    "log.syslog.priority=" n " log.syslog.facility.code=" f " log.syslog.severity.code=" s         \
    " log.syslog.facility.name=\"" facility "\" log.syslog.severity.name=\"" severity "\" "
#define USER_NOTICE PRI("13", "user", "1", "notice", "5")

Test(syslog, rfc_5424)
{
    static const struct record_row rows[] = {
        {"with structured data",
         "<165>1 2026-10-09T08:53:20.003Z host.example app 17 ID47 [origin@32473 ip=\"10.0.0.1\" "
         "note=\"a \\\"b\\\" \\] \\\\ c\"][empty@1] it works",
         "time=" T "003000000 level=info message=\"it works\" " PRI(
             "165", "local4", "20", "notice",
             "5") "log.syslog.version=\"1\" log.syslog.hostname=\"host.example\" "
                  "log.syslog.appname=\"app\" log.syslog.procid=\"17\" log.syslog.msgid=\"ID47\" "
                  "log.syslog.structured_data={\"origin@32473\":{\"ip\":\"10.0.0.1\",\"note\":\"a "
                  "\\\"b\\\" ] \\\\ c\"},\"empty@1\":{}}"},
        {"nothing but dashes", "<13>1 - - - - - -",
         "level=info message=\"\" " USER_NOTICE "log.syslog.version=\"1\""},
        {"a BOM", "<13>1 - - - - - - \xEF\xBB\xBFit works",
         "level=info message=\"it works\" " USER_NOTICE "log.syslog.version=\"1\""},
        {"Heroku's drains: a length in front, no structured data",
         "89 <40>1 2026-10-09T08:53:20+00:00 host app web.3 - State changed from starting to up",
         "time=" T "000000000 message=\"State changed from starting to up\" " PRI(
             "40", "syslog", "5", "emergency",
             "0") "log.syslog.version=\"1\" log.syslog.hostname=\"host\" "
                  "log.syslog.appname=\"app\" log.syslog.procid=\"web.3\""},
        {"what looks like structured data and is none is the message",
         "<13>1 - - - - - [no data here",
         "message=\"[no data here\" " USER_NOTICE "log.syslog.version=\"1\""},
        {"a name several times", "<13>1 - - - - - [a x=\"1\" y=\"2\" x=\"3\"] m",
         "level=info message=\"m\" " USER_NOTICE
         "log.syslog.version=\"1\" log.syslog.structured_data={\"a\":{\"x\":[\"1\",\"3\"],\"y\":"
         "\"2\"}}"},
        {"an element twice is no object", "<13>1 - - - - - [a x=\"1\"][a x=\"2\"] m",
         "level=info message=\"m\" " USER_NOTICE
         "log.syslog.version=\"1\" [structured_data]=\"[a x=\"1\"][a x=\"2\"]\""},
        {"ids among the parameters",
         "<13>1 - - - - - [meta requestId=\"" ID "\" trace_id=\"" TRACE "\"] m",
         "level=info message=\"m\" request=" ID " trace=" TRACE " " USER_NOTICE
         "log.syslog.version=\"1\" log.syslog.structured_data={\"meta\":{\"requestId\":\"" ID
         "\",\"trace_id\":\"" TRACE "\"}}"},
        {"a time that is none", "<13>1 yesterday - - - - - m",
         "message=\"<13>1 yesterday - - - - - m\" flags=16"},
        {"no such priority", "<192>1 - - - - - - m", "message=\"<192>1 - - - - - - m\" flags=16"},
        {"a priority with a zero in front", "<013>1 - - - - - - m",
         "message=\"<013>1 - - - - - - m\" flags=16"},
        {"too short", "<13>1 - - -", "message=\"<13>1 - - -\" flags=16"},
        {"XML", "<13>text</13>", "message=\"<13>text</13>\" flags=16"},
    };

    RECORD_ROWS_CHECK(&syslog_parser, rows);
}

Test(syslog, rfc_3164_by_the_time_of_rfc_3339)
{
    static const struct record_row rows[] = {
        {"as rsyslog writes to files",
         "2026-10-09T08:53:20.123456+00:00 host-1 app[17]: it works: well",
         "time=" T "123456000 message=\"it works: well\" log.syslog.hostname=\"host-1\" "
         "log.syslog.appname=\"app\" log.syslog.procid=\"17\""},
        {"with a priority", "<11>2026-10-09T08:53:20Z host-1 app: no stock",
         "time=" T "000000000 level=error message=\"no stock\" " PRI(
             "11", "user", "1", "error", "3") "log.syslog.hostname=\"host-1\" "
                                              "log.syslog.appname=\"app\""},
        {"any other line with a time", "2026-10-09T08:53:20Z INFO order 17",
         "message=\"2026-10-09T08:53:20Z INFO order 17\" flags=16"},
        {"a time alone", "2026-10-09T08:53:20Z", "message=\"2026-10-09T08:53:20Z\" flags=16"},
        {"nothing", "", "message=\"\" flags=16"},
        {"a platform line", "END RequestId: " ID, "kind=end request=" ID},
    };

    RECORD_ROWS_CHECK(&syslog_parser, rows);
}

Test(syslog, a_time_without_a_year)
{
    static const struct record_row rows[] = {
        {"the last such moment", "<11>Oct  9 08:53:20 host su[3]: failed",
         "time=" T "000000000 level=error message=\"failed\" " PRI(
             "11", "user", "1", "error", "3") "log.syslog.hostname=\"host\" "
                                              "log.syslog.appname=\"su\" "
                                              "log.syslog.procid=\"3\""},
        {"with a fraction", "Oct  9 08:53:20.5 host app: m",
         "time=" T "500000000 message=\"m\" log.syslog.hostname=\"host\" "
         "log.syslog.appname=\"app\""},
        {"no such day", "Feb 30 08:53:20 host app: m",
         "message=\"Feb 30 08:53:20 host app: m\" flags=16"},
    };

    RECORD_ROWS_CHECK(&syslog_parser, rows);
}

/* The parts, whatever the year is. */
Test(syslog, rfc_3164)
{
    static const struct {
        const char *line;
        const char *time, *hostname, *appname, *procid, *message;
    } rows[] = {
        {"<34>Oct  9 08:53:20 host su[3]: 'su root' failed", "Oct  9 08:53:20", "host", "su", "3",
         "'su root' failed"},
        {"Oct 19 08:53:20.123 host app: m", "Oct 19 08:53:20.123", "host", "app", "", "m"},
        {"<13>Oct  9 08:53:20 app[17]: from the local socket", "Oct  9 08:53:20", "", "app", "17",
         "from the local socket"},
        {"Oct  9 08:53:20 host last message repeated 2 times", "Oct  9 08:53:20", "host", "", "",
         "last message repeated 2 times"},
        {"Oct  9 08:53:20 host app[17] no colon", "Oct  9 08:53:20", "host", "", "",
         "app[17] no colon"},
        {"Oct  9 08:53:20 host", "Oct  9 08:53:20", "host", "", "", ""},
        {"Oct  9 08:53:20 host app:", "Oct  9 08:53:20", "host", "app", "", ""},
        {"Oct  9 08:53:20 host app[:", "Oct  9 08:53:20", "host", "", "", "app[:"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct syslog_head head;

        cr_assert(syslog_cut(slice_str(rows[i].line), &head), "%s", rows[i].line);
        cr_expect(slice_is(head.time, rows[i].time), "%s", rows[i].line);
        cr_expect(slice_is(head.hostname, rows[i].hostname), "%s", rows[i].line);
        cr_expect(slice_is(head.appname, rows[i].appname), "%s", rows[i].line);
        cr_expect(slice_is(head.procid, rows[i].procid), "%s", rows[i].line);
        cr_expect(slice_is(head.message, rows[i].message), "%s", rows[i].line);
    }
}

Test(syslog, is_told_from_other_lines)
{
    static const char *const lines[] = {
        "Octo 9 08:53:20 host app: m",
        "Oct  9 8:53:20 host app: m",
        "Oct  9 08:53:20",
        "Oct  9 08:53:20,123 host",
        "October is here",
        "<x>",
        "<13>",
        "<1",
        "12 ",
    };
    struct syslog_head head;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_expect_not(syslog_cut(slice_str(lines[i]), &head), "%s", lines[i]);
}
