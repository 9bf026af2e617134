#include <errno.h>

#include "shipper/delivery/queue.h"
#include "shipper/delivery/queue_scan.h"

bool queue_peek(const char *directory, const struct disk *disk, struct queue_stats *out,
                struct err *e)
{
    struct queue_damage damage = {.disk = disk, .directory = directory, .is_peek = true};
    struct queue_scan scan = {.damage = &damage};
    int rc;

    *out = (struct queue_stats){0};
    damage.dir = disk->open_dir(disk->ctx, directory, false, e);
    if (damage.dir < 0)
        return damage.dir == -ENOENT;
    rc = queue_scan_run(&scan, e);
    disk->close(disk->ctx, damage.dir);
    *out = (struct queue_stats){.records = scan.n_waiting,
                                .events = scan.n_events,
                                .bytes = scan.bytes,
                                .damaged_records = damage.records,
                                .damaged_events = damage.events,
                                .damaged_bytes = damage.bytes};
    queue_scan_fini(&scan);
    return rc == 0;
}
