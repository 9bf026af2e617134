/* What must hold after a life, and what is in its files for whoever looks into it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_life.h"

/* Which lines are in the dead letters. */
static void read_dead_letters(struct sim_life *l)
{
    char path[TEMP_DIR_MAX + 32];
    char *line = NULL;
    size_t cap = 0;
    FILE *f;

    sim_life_dead_path(l, path, "dead/dead.ndjson");
    f = fopen(path, "r");
    while (f && getline(&line, &cap, f) > 0) {
        const char *document = strstr(line, "\"document\":");
        const char *message = document ? strstr(document, "\"message\":\"") : NULL;
        enum sim_kind kind;
        unsigned n;

        if (message && sim_parse_event(slice_str(message + 11), &kind, &n) && kind == SIM_LINE)
            l->is_dead[n] = true;
    }
    free(line);
    if (f)
        fclose(f);
}

void sim_life_judge(struct sim_life *l)
{
    char why[SIM_WHY_MAX];

    sim_ship_check_sums(&l->ship);
    if (l->ship.violation[0])
        sim_life_fail(l, "%s", l->ship.violation);
    read_dead_letters(l);
    if (!sim_world_check(&l->world, l->ship.servers, l->ship.n_servers, l->is_dead, why,
                         sizeof why))
        sim_life_fail(l, "%s", why);
}

void sim_life_dump(const struct sim_life *l)
{
    const struct sim_disk *d = &l->ship.disk;

    for (int i = 0; i < SIM_NAMES_MAX; i++) {
        const struct sim_inode *inode = d->names[i].inode;

        if (d->names[i].name[0])
            fprintf(stderr, "=== %s inode %llu born %llu\n%.*s\n", d->names[i].name,
                    (unsigned long long)inode->number, (unsigned long long)inode->generation,
                    (int)inode->bytes.len, inode->bytes.ptr);
    }
}
