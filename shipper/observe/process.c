#include "shipper/observe/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int64_t kib_of(const char *line)
{
    return strtoll(strchr(line, ':') + 1, NULL, 10) * 1024;
}

static void read_status(struct process_stats *out)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];

    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            out->resident_bytes = kib_of(line);
        else if (strncmp(line, "VmHWM:", 6) == 0)
            out->resident_peak_bytes = kib_of(line);
        else if (strncmp(line, "Threads:", 8) == 0)
            out->threads = strtoll(line + 8, NULL, 10);
    }
    if (f)
        fclose(f);
}

static void count_descriptors(struct process_stats *out)
{
    DIR *d = opendir("/proc/self/fd");
    struct rlimit most;

    if (d) {
        out->open_descriptors = -3; /* ".", "..", and the one that reads */
        while (readdir(d))
            out->open_descriptors++;
        closedir(d);
    }
    if (getrlimit(RLIMIT_NOFILE, &most) == 0)
        out->max_descriptors = (int64_t)most.rlim_cur;
}

void process_look(struct process_stats *out)
{
    struct rusage used;

    memset(out, 0, sizeof *out);
    read_status(out);
    count_descriptors(out);
    if (getrusage(RUSAGE_SELF, &used) == 0)
        out->cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
