/* Syslog lines (RFC 3164, RFC 5424), as daemons, relays and drains write them.
 *
 * Thread: any. */
#ifndef SHIP_PARSERS_SYSLOG_H
#define SHIP_PARSERS_SYSLOG_H

#include <stdbool.h>

#include "parsers/parser.h"
#include "parsers/record.h"
#include "shipper/base/slice.h"

/* What stands before the message; slices of the line. Empty: not said, or "-". */
struct syslog_head {
    int priority; /* 0 to 191; -1: none */
    struct slice version;
    struct slice time;
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct slice data; /* structured data, "[id name="value"]..."; checked */
    struct slice message;
    bool is_logplex; /* Heroku's form of RFC 5424, whose priorities say nothing of severity */
};

/* Takes the head off. "<PRI>" may lack in front of a line of RFC 3164, as in /var/log/messages: the
 * line is one then if a date in syslog's own form begins it, or a date of RFC 3339 with a host and
 * "name:" or "name[pid]:" behind it. False: the line is none; *out is undefined. */
bool syslog_cut(struct slice line, struct syslog_head *out);

/* Time, level and log.syslog.* of the record, not its message. False: its time is none. */
bool syslog_fill(const struct syslog_head *head, struct parse_scratch *scratch, struct record *out);

#endif
