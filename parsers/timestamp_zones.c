/* Zones by their abbreviations, where one means one thing. Left out: CST and CDT (Chicago, Havana,
 * Shanghai), IST (Dublin, Delhi, Jerusalem), BST (London, Dhaka), AST, SST, GST, NST. */
#include "parsers/timestamp_civil.h"

enum { LONGEST = 4, MINUTE_S = 60 };

static const struct {
    const char *name;
    int east_minutes;
} zones[] = {
    {"UTC", 0},     {"GMT", 0},     {"UT", 0},     {"WET", 0},    {"WEST", 60},  {"CET", 60},
    {"CEST", 120},  {"MET", 60},    {"MEST", 120}, {"MEZ", 60},   {"MESZ", 120}, {"EET", 120},
    {"EEST", 180},  {"MSK", 180},   {"SAST", 120}, {"WAT", 60},   {"CAT", 120},  {"EAT", 180},
    {"PKT", 300},   {"JST", 540},   {"KST", 540},  {"HKT", 480},  {"SGT", 480},  {"AWST", 480},
    {"ACST", 570},  {"ACDT", 630},  {"AEST", 600}, {"AEDT", 660}, {"NZST", 720}, {"NZDT", 780},
    {"EST", -300},  {"EDT", -240},  {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420},
    {"AKST", -540}, {"AKDT", -480}, {"HST", -600},
};

size_t civil_take_zone_name(struct slice s, int *offset_s)
{
    size_t n = 0;

    while (n < s.len && n <= LONGEST && s.ptr[n] >= 'A' && s.ptr[n] <= 'Z')
        n++;
    for (size_t i = 0; n >= 2 && i < sizeof zones / sizeof zones[0]; i++)
        if (slice_is(slice_of(s.ptr, n), zones[i].name)) {
            *offset_s = zones[i].east_minutes * MINUTE_S;
            return n;
        }
    return 0;
}
