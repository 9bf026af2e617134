/* The head of a line, cut into its parts; syslog_fill.c makes fields of them. */
#include "parsers/syslog.h"

enum {
    HIGHEST_PRIORITY = 191,
    LONGEST_TAG = 64,  /* 32 by the RFC, 48 in the wild */
    BSD_TIME_LEN = 15, /* "Oct  9 08:53:20" */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(struct slice s)
{
    size_t n = 0;

    while (n < s.len && is_digit(s.ptr[n]))
        n++;
    return n;
}

/* Up to a blank, or the end; "-" is nothing. */
static bool cut_word(struct slice *rest, struct slice *word)
{
    if (!slice_cut(rest, ' ', word)) {
        *word = *rest;
        *rest = slice_from(*rest, rest->len);
    }
    if (!word->len)
        return false;
    if (slice_is(*word, "-"))
        word->len = 0;
    return true;
}

/* "<13>"; behind a frame's length (RFC 6587, Heroku's drains) too. */
static bool cut_priority(struct slice *rest, int *priority)
{
    struct slice s = *rest;
    size_t n = count_digits(s);

    if (n && n < s.len && s.ptr[n] == ' ')
        s = slice_from(s, n + 1);
    if (!s.len || *s.ptr != '<')
        return false;
    s = slice_from(s, 1);
    n = count_digits(s);
    if (n == 0 || n > 3 || n == s.len || s.ptr[n] != '>' || (n > 1 && *s.ptr == '0'))
        return false;
    *priority = 0;
    for (size_t i = 0; i < n; i++)
        *priority = *priority * 10 + (s.ptr[i] - '0');
    *rest = slice_from(s, n + 1);
    return *priority <= HIGHEST_PRIORITY;
}

/* ------------------------------------------------------------------ RFC 5424 */

static bool is_data_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || strchr("=]\"", s.ptr[i]))
            return false;
    return s.len > 0;
}

/* `name="value"`, where \", \\ and \] stand for themselves; how long it is, 0 if it is none. */
static size_t param_len(struct slice s)
{
    const char *equals = s.len ? memchr(s.ptr, '=', s.len) : NULL;
    size_t n = equals ? (size_t)(equals - s.ptr) : 0;

    if (!n || !is_data_name(slice_of(s.ptr, n)) || n + 1 >= s.len || s.ptr[n + 1] != '"')
        return 0;
    for (n += 2; n < s.len && s.ptr[n] != '"'; n++) {
        if (s.ptr[n] == ']')
            return 0;
        n += s.ptr[n] == '\\';
    }
    return n < s.len ? n + 1 : 0;
}

/* "[id a="b" c="d"]"; how long it is, 0 if it is none. */
static size_t element_len(struct slice s)
{
    size_t n = 1;

    if (!s.len || *s.ptr != '[')
        return 0;
    while (n < s.len && s.ptr[n] != ' ' && s.ptr[n] != ']')
        n++;
    if (!is_data_name(slice_of(s.ptr + 1, n - 1)))
        return 0;
    while (n < s.len && s.ptr[n] == ' ') {
        size_t len = param_len(slice_from(s, n + 1));

        if (!len)
            return 0;
        n += 1 + len;
    }
    return n < s.len && s.ptr[n] == ']' ? n + 1 : 0;
}

/* False: there is none, and no dash for it, as from Heroku's drains; it is the message already. */
static bool cut_data(struct slice *rest, struct slice *data)
{
    size_t len = 0;
    size_t more;

    *data = slice_of(rest->ptr, 0);
    if (rest->len && *rest->ptr == '-' && (rest->len == 1 || rest->ptr[1] == ' ')) {
        *rest = slice_from(*rest, rest->len == 1 ? 1 : 2);
        return true;
    }
    while ((more = element_len(slice_from(*rest, len))))
        len += more;
    if (!len || (len < rest->len && rest->ptr[len] != ' '))
        return false;
    data->len = len;
    *rest = slice_from(*rest, len == rest->len ? len : len + 1);
    return true;
}

static bool cut_5424(struct slice rest, struct syslog_head *out)
{
    size_t n = count_digits(rest);

    if (n == 0 || n > 3 || *rest.ptr == '0' || !cut_word(&rest, &out->version) ||
        out->version.len != n || !cut_word(&rest, &out->time) || !cut_word(&rest, &out->hostname) ||
        !cut_word(&rest, &out->appname) || !cut_word(&rest, &out->procid) ||
        !cut_word(&rest, &out->msgid))
        return false;
    out->is_logplex = !cut_data(&rest, &out->data);
    if (slice_starts(rest, slice_str("\xEF\xBB\xBF")))
        rest = slice_from(rest, 3);
    out->message = rest;
    return true;
}

/* ------------------------------------------------------------------ RFC 3164 */

static bool is_month(const char *p)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (size_t i = 0; i < sizeof months - 1; i += 3)
        if (memcmp(p, months + i, 3) == 0)
            return true;
    return false;
}

/* How long the date in syslog's own form is, with a fraction: "Oct  9 08:53:20.123"; 0: none. */
static size_t bsd_time_len(struct slice s)
{
    static const char form[] = "aaa _0 00:00:00";
    size_t n = BSD_TIME_LEN;

    if (s.len <= n || !is_month(s.ptr))
        return 0;
    for (size_t i = 3; i < n; i++) {
        char c = s.ptr[i];

        if (form[i] == '0'   ? !is_digit(c)
            : form[i] == '_' ? !is_digit(c) && c != ' '
                             : c != form[i])
            return 0;
    }
    if (s.ptr[n] == '.')
        n += 1 + count_digits(slice_from(s, n + 1));
    return n < s.len && s.ptr[n] == ' ' ? n : 0;
}

/* "2026-10-09T08:53:20.123456+02:00", by its looks. */
static size_t iso_time_len(struct slice s)
{
    const char *blank = s.len ? memchr(s.ptr, ' ', s.len < 40 ? s.len : 40) : NULL;

    if (s.len < 20 || !blank || count_digits(s) != 4 || s.ptr[4] != '-' || s.ptr[10] != 'T')
        return 0;
    return (size_t)(blank - s.ptr);
}

/* "name: " or "name[17]: " at the start of the rest. */
static bool cut_tag(struct slice *rest, struct syslog_head *out)
{
    size_t n = 0;
    size_t end;

    while (n < rest->len && n < LONGEST_TAG && rest->ptr[n] > ' ' && !strchr(":[", rest->ptr[n]))
        n++;
    end = n;
    if (n && n < rest->len && rest->ptr[n] == '[') {
        const char *close = memchr(rest->ptr + n, ']', rest->len - n);

        end = close ? (size_t)(close - rest->ptr) + 1 : rest->len;
    }
    if (!n || end >= rest->len || rest->ptr[end] != ':')
        return false;
    out->appname = slice_of(rest->ptr, n);
    if (end > n)
        out->procid = slice_of(rest->ptr + n + 1, end - n - 2);
    *rest = slice_from(*rest, end + 1);
    if (rest->len && *rest->ptr == ' ')
        *rest = slice_from(*rest, 1);
    return true;
}

static bool cut_3164(struct slice rest, struct syslog_head *out)
{
    size_t bsd = bsd_time_len(rest);
    size_t len = bsd ? bsd : iso_time_len(rest);
    bool has_tag;

    if (!len)
        return false;
    out->time = slice_of(rest.ptr, len);
    rest = slice_from(rest, len + 1);
    /* A program writes no host into its own line to the local socket. */
    has_tag = cut_tag(&rest, out);
    if (!has_tag && cut_word(&rest, &out->hostname))
        has_tag = cut_tag(&rest, out);
    out->message = rest;
    return bsd || has_tag;
}

bool syslog_cut(struct slice line, struct syslog_head *out)
{
    struct slice rest = line;

    *out = (struct syslog_head){.priority = -1};
    if (!cut_priority(&rest, &out->priority)) {
        out->priority = -1;
        return cut_3164(line, out);
    }
    if (cut_5424(rest, out))
        return true;
    *out = (struct syslog_head){.priority = out->priority};
    return cut_3164(rest, out);
}
