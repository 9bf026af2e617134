#include <math.h>
#include <string.h>

#include "parsers/record.h"

void record_reset(struct record *r)
{
    memset(r, 0, sizeof *r);
    r->coldstart = -1;
    r->report.duration_ms = NAN;
    r->report.billed_ms = NAN;
    r->report.memory_mb = NAN;
    r->report.max_memory_mb = NAN;
    r->report.init_ms = NAN;
    r->report.restore_ms = NAN;
    r->report.billed_restore_ms = NAN;
}
