/* What must hold after a life, and what is in its files for whoever looks into it. */
#include <stdio.h>

#include <jansson.h>

#include "tests/sim/sim_life.h"

/* One letter; what a power cut tore is none. */
static void read_letter(struct sim_life *l, struct slice text)
{
    json_t *letter = json_loadb(text.ptr, text.len, 0, NULL);
    const char *message = NULL;
    enum sim_kind kind;
    unsigned n;

    if (letter)
        message =
            json_string_value(json_object_get(json_object_get(letter, "document"), "message"));
    if (message && sim_parse_event(slice_str(message), &kind, &n) && kind == SIM_LINE)
        l->is_dead[n] = true;
    json_decref(letter);
}

static void read_letters(void *ctx, const char *name, struct slice text)
{
    struct slice line;

    (void)name;
    while (slice_cut(&text, '\n', &line) && line.len)
        read_letter(ctx, line);
}

void sim_life_judge(struct sim_life *l)
{
    char why[SIM_WHY_MAX];

    sim_own_each(&l->ship.own, SIM_DEAD, read_letters, l);
    if (!sim_world_check(&l->world, l->ship.servers, l->ship.n_servers, l->is_dead, why,
                         sizeof why))
        sim_life_fail(l, "%s", why);
    sim_agent_check_sums(l->ship.agent);
    if (l->ship.violation[0])
        sim_life_fail(l, "%s", l->ship.violation);
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
