/* What the kernel says of this process, from /proc.
 *
 * Thread: any; reads files of the kernel, which do not wait for a disk. */
#ifndef SHIP_OBSERVE_PROCESS_H
#define SHIP_OBSERVE_PROCESS_H

#include <stdint.h>

struct process_stats {
    int64_t resident_bytes;
    int64_t resident_peak_bytes;
    int64_t open_descriptors;
    int64_t max_descriptors;
    int64_t threads;
    double cpu_s; /* user and system, all threads */
};

/* What cannot be read is 0. */
void process_look(struct process_stats *out);

#endif
