/* The options of the logfmt parser: `level=info msg="two words" took=1.5`.
 *
 * Thread: read-only. */
#ifndef SHIP_PARSERS_LOGFMT_H
#define SHIP_PARSERS_LOGFMT_H

struct logfmt_options {
    const char *time_format; /* as the regex parser's */
};

#endif
