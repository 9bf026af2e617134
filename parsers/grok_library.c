/* Each says what the thing that it is named for looks like. Names are those that grok has
 * everywhere, so that patterns can be brought along; fields are those of ECS. */
#include "parsers/grok_library.h"

#define HEX "[0-9A-Fa-f]"
#define H16 "[0-9A-Fa-f]{1,4}"
#define OCTET "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define LABEL "[0-9A-Za-z](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"

const struct grok_pattern grok_library[] = {
    /* words and numbers */
    {"WORD", "\\b\\w++\\b"},
    {"NOTSPACE", "\\S+"},
    {"SPACE", "\\s*"},
    {"DATA", ".*?"},
    {"GREEDYDATA", ".*"},
    {"QUOTEDSTRING", "\"(?:[^\"\\\\]|\\\\.)*+\"|'(?:[^'\\\\]|\\\\.)*+'|`(?:[^`\\\\]|\\\\.)*+`"},
    {"QS", "%{QUOTEDSTRING}"},
    {"INT", "[+-]?[0-9]+"},
    {"POSINT", "\\b[1-9][0-9]*\\b"},
    {"NONNEGINT", "\\b[0-9]+\\b"},
    {"BASE10NUM", "[+-]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?"},
    {"NUMBER", "%{BASE10NUM}"},
    {"BASE16NUM", "[+-]?(?:0[xX])?" HEX "+"},
    {"BASE16FLOAT", "[+-]?(?:0[xX])?(?:" HEX "+(?:\\." HEX "*)?|\\." HEX "+)"},
    {"BOOL", "\\b(?i:true|false)\\b"},
    {"DURATION", "[0-9]+(?:\\.[0-9]+)?(?:ns|us|\xC2\xB5s|ms|s|m|h|d)\\b"},
    {"SEMVER", "v?[0-9]+\\.[0-9]+\\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?"},

    /* who */
    {"USERNAME", "[A-Za-z0-9._-]+"},
    {"USER", "%{USERNAME}"},
    {"EMAILLOCALPART", "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*+"},
    {"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
    {"UUID", HEX "{8}-" HEX "{4}-" HEX "{4}-" HEX "{4}-" HEX "{12}"},
    {"URN", "urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[0-9A-Za-z()+,.:=@;$_!*'/?#%-]+"},

    /* where on the network */
    {"MAC", "%{COMMONMAC}|%{CISCOMAC}"},
    {"COMMONMAC", HEX "{2}(?:[:-]" HEX "{2}){5}"},
    {"WINDOWSMAC", HEX "{2}(?:-" HEX "{2}){5}"},
    {"CISCOMAC", HEX "{4}(?:\\." HEX "{4}){2}"},
    {"IPV4", "(?<![0-9.])" OCTET "(?:\\." OCTET "){3}(?!\\.?[0-9])"},
    {"IPV6",
     "(?<![0-9A-Fa-f:])(?:(?:" H16 ":){7}" H16 "|(?:" H16 ":){6}%{IPV4}|(?:" H16 "(?::" H16
     "){0,6})?::(?:(?:" H16 ":){0,6}(?:%{IPV4}|" H16 "))?)(?:%[0-9A-Za-z_.-]+)?(?![0-9A-Fa-f:])"},
    {"IP", "%{IPV6}|%{IPV4}"},
    {"HOSTNAME", "\\b" LABEL "(?:\\." LABEL ")*+(?:\\.(?![0-9A-Za-z])|\\b)"},
    {"HOST", "%{HOSTNAME}"},
    {"IPORHOST", "%{IP}|%{HOSTNAME}"},
    {"HOSTPORT", "%{IPORHOST}:%{POSINT}"},

    /* where on the disk, and on the web */
    {"PATH", "%{UNIXPATH}|%{WINPATH}"},
    {"UNIXPATH", "(?:/[\\w%!$@.,+~=-]*)+"},
    {"WINPATH", "(?:[A-Za-z]:|\\\\)(?:\\\\[^\\\\/:*?\"<>|\\s]*)+"},
    {"TTY", "/dev/(?:pts/|tty)[0-9A-Za-z/]*"},
    {"URIPROTO", "[A-Za-z][A-Za-z0-9+.-]*"},
    {"URIHOST", "%{IPORHOST}(?::%{POSINT:url.port:int})?"},
    {"URIPATH", "(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_\\[\\]|-]*)+"},
    {"URIQUERY", "[^\\s\"<>#]*"},
    {"URIPARAM", "\\?%{URIQUERY}"},
    {"URIPATHPARAM", "%{URIPATH}(?:\\?%{URIQUERY})?"},
    {"URI", "%{URIPROTO}://(?:[^\\s/@]+@)?(?:%{IPORHOST}(?::%{POSINT})?)?(?:%{URIPATHPARAM})?"},

    /* when */
    {"MONTH", "\\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
              "Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\\b"},
    {"MONTHNUM", "0[1-9]|1[0-2]|[1-9]"},
    {"MONTHNUM2", "0[1-9]|1[0-2]"},
    {"MONTHDAY", "0[1-9]|[12][0-9]|3[01]|[1-9]"},
    {"DAY",
     "\\b(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:r(?:s(?:day)?)?)?|Fri(?:day)?|"
     "Sat(?:urday)?|Sun(?:day)?)\\b"},
    {"YEAR", "[0-9]{4}|[0-9]{2}"},
    {"HOUR", "2[0-3]|[01]?[0-9]"},
    {"MINUTE", "[0-5][0-9]"},
    {"SECOND", "(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?"},
    {"TIME", "(?<![0-9])%{HOUR}:%{MINUTE}(?::%{SECOND})?(?![0-9])"},
    {"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
    {"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
    {"DATE", "%{DATE_US}|%{DATE_EU}"},
    {"DATESTAMP", "%{DATE}[- ]%{TIME}"},
    {"TZ", "[A-Z]{3,4}"},
    {"ISO8601_TIMEZONE", "Z|[+-]%{HOUR}(?::?%{MINUTE})?"},
    {"ISO8601_SECOND", "%{SECOND}"},
    {"TIMESTAMP_ISO8601", "[0-9]{4}-%{MONTHNUM}-%{MONTHDAY}[Tt ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?"
                          "(?:%{ISO8601_TIMEZONE})?"},
    {"DATESTAMP_RFC822", "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"},
    {"DATESTAMP_RFC2822", "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"},
    {"DATESTAMP_OTHER", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"},
    {"DATESTAMP_EVENTLOG", "[0-9]{4}%{MONTHNUM2}(?:0[1-9]|[12][0-9]|3[01])(?:2[0-3]|[01][0-9])"
                           "%{MINUTE}[0-5][0-9]"},
    {"HTTPDATE", "%{MONTHDAY}/%{MONTH}/[0-9]{4}:%{TIME} [+-][0-9]{4}"},
    {"UNIX_MS", "\\b[0-9]{13}\\b"},

    /* syslog */
    {"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},
    {"PROG", "[!-9;-Z\\\\^-~]+"},
    {"SYSLOGPROG", "%{PROG:process.name}(?:\\[%{POSINT:process.pid:int}\\])?"},
    {"SYSLOGHOST", "%{IPORHOST}"},
    {"SYSLOGFACILITY", "<%{NONNEGINT:log.syslog.facility.code:int}\\."
                       "%{NONNEGINT:log.syslog.severity.code:int}>"},
    {"SYSLOGBASE", "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?"
                   "%{SYSLOGHOST:log.syslog.hostname} %{SYSLOGPROG}:"},
    {"SYSLOGLINE", "%{SYSLOGBASE} %{GREEDYDATA:message}"},

    /* levels */
    {"LOGLEVEL",
     "\\b(?i:trace|trce|verbose|debug|dbug|dbg|info(?:rmation(?:al)?)?|notice|warn(?:ing)?|wrn|"
     "err(?:or)?|fail|severe|crit(?:ical)?|fatal|alert|panic|emerg(?:ency)?)\\b"},

    /* web servers */
    {"HTTPMETHOD", "\\b[A-Z][A-Z_-]{1,30}\\b"},
    {"HTTPSTATUS", "\\b[1-5][0-9]{2}\\b"},
    {"HTTPDUSER", "%{EMAILADDRESS}|%{USER}"},
    {"COMMONAPACHELOG",
     "%{IPORHOST:source.address} (?:-|%{USER:apache.access.user.identity}) "
     "(?:-|%{HTTPDUSER:user.name}) \\[%{HTTPDATE:timestamp}\\] \"(?:%{HTTPMETHOD:http.request."
     "method} %{NOTSPACE:url.original}(?: HTTP/%{NUMBER:http.version})?|%{DATA})\" "
     "(?:-|%{INT:http.response.status_code:int}) (?:-|%{INT:http.response.body.bytes:int})"},
    {"COMBINEDAPACHELOG", "%{COMMONAPACHELOG} \"(?:-|%{DATA:http.request.referrer})\" "
                          "\"(?:-|%{DATA:user_agent.original})\""},
    {"HTTPD_COMMONLOG", "%{COMMONAPACHELOG}"},
    {"HTTPD_COMBINEDLOG", "%{COMBINEDAPACHELOG}"},

    /* code */
    {"JAVACLASS", "(?:[A-Za-z_$][\\w$]*\\.)*[A-Za-z_$][\\w$]*"},
    {"JAVAMETHOD", "<(?:cl)?init>|[A-Za-z_$][\\w$]*"},
    {"JAVAFILE", "[A-Za-z_$][\\w$. -]*"},
    {"JAVASTACKTRACEPART",
     "\\s*at (?:%{JAVACLASS:java.log.origin.class.name})\\.%{JAVAMETHOD:log.origin.function}\\("
     "%{JAVAFILE:log.origin.file.name}(?::%{INT:log.origin.file.line:int})?\\)"},

    /* cloud functions */
    {"LAMBDA_REQUEST_ID", "%{UUID}"},
    {"AWS_ARN", "arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:[^\\s\"',]+"},
    {"XRAY_TRACE_ID", "1-" HEX "{8}-" HEX "{24}"},
    {"TRACEPARENT", HEX "{2}-" HEX "{32}-" HEX "{16}-" HEX "{2}"},
};

const size_t grok_library_len = sizeof grok_library / sizeof grok_library[0];

const char *grok_library_find(struct slice name)
{
    for (size_t i = 0; i < grok_library_len; i++)
        if (slice_is(name, grok_library[i].name))
            return grok_library[i].text;
    return NULL;
}
