#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "tests/sim/sim_world.h"

enum { LINE_MAX_BYTES = 4096 };

#define UUID "11111111-2222-3333-4444-%012u"

/* --- lines ----------------------------------------------------------------------------------- */

static void name_of(char name[SIM_NAME_MAX], unsigned file, unsigned age)
{
    if (age)
        snprintf(name, SIM_NAME_MAX, "f%u.log.%u", file, age);
    else
        snprintf(name, SIM_NAME_MAX, "f%u.log", file);
}

static void put(struct sim_world *w, unsigned file, const char *text)
{
    char name[SIM_NAME_MAX];

    name_of(name, file, 0);
    sim_disk_append(w->disk, name, text);
}

static void time_text(const struct sim_world *w, char *out, size_t cap)
{
    time_t s = 1767225600 + *w->now_ms / 1000;
    struct tm tm;
    size_t n;

    gmtime_r(&s, &tm);
    n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, cap - n, ".%03dZ", (int)(*w->now_ms % 1000));
}

static void write_line(struct sim_world *w, unsigned file)
{
    unsigned request = w->files[file].request;
    unsigned form = sim_draw(w->random, 3);
    unsigned n = w->n_lines++;
    char line[LINE_MAX_BYTES];
    char padding[LINE_MAX_BYTES / 2];
    char now[40];
    unsigned len = sim_draw(w->random, w->longest + 1);

    memset(padding, 'a' + (char)(n % 26), len);
    padding[len] = '\0';
    time_text(w, now, sizeof now);
    if (form == 0 && w->is_dated)
        form = 1;
    if (form == 2 && !w->files[file].is_open)
        form = 1;
    if (form == 0)
        snprintf(line, sizeof line, "line-%u %s", n, padding);
    else if (form == 1)
        snprintf(line, sizeof line, "{\"timestamp\":\"%s\",\"message\":\"line-%u %s\"}", now, n,
                 padding);
    else
        snprintf(line, sizeof line, "%s\t" UUID "\tINFO\tline-%u %s", now, request, n, padding);
    w->request_of[n] = (uint16_t)request;
    put(w, file, line);
}

static void end_line(struct sim_world *w, unsigned file)
{
    if (w->files[file].has_open_line)
        put(w, file, "\n");
    w->files[file].has_open_line = false;
}

static void write_platform(struct sim_world *w, unsigned file, const char *form)
{
    char line[256];

    snprintf(line, sizeof line, form, w->files[file].request);
    put(w, file, line);
}

static void begin_request(struct sim_world *w, unsigned file)
{
    w->files[file].request = ++w->n_requests;
    w->files[file].is_open = true;
    write_platform(w, file, "START RequestId: " UUID " Version: $LATEST\n");
}

static void end_request(struct sim_world *w, unsigned file)
{
    write_platform(w, file, "END RequestId: " UUID "\n");
    write_platform(w, file,
                   "REPORT RequestId: " UUID "\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory "
                   "Size: 128 MB\tMax Memory Used: 50 MB\t\n");
    w->files[file].is_open = false;
}

static void append(struct sim_world *w, unsigned file)
{
    unsigned n = 1 + sim_draw(w->random, 6);

    end_line(w, file);
    for (unsigned i = 0; i < n && w->n_lines < SIM_EVENTS_MAX - 1; i++) {
        unsigned die = sim_draw(w->random, 10);

        if (!w->files[file].is_open && die < 5 && w->n_requests < SIM_EVENTS_MAX - 1)
            begin_request(w, file);
        else if (w->files[file].is_open && die < 2)
            end_request(w, file);
        write_line(w, file);
        w->files[file].has_open_line = true;
        if (i + 1 < n || sim_draw(w->random, 4))
            end_line(w, file);
    }
}

/* --- what happens to files ------------------------------------------------------------------- */

/* Where a file may be lost, no request goes over from one to the next: the lines behind a START
 * that nobody can read any more would be taken for the request before it. */
static void close_request(struct sim_world *w, unsigned file)
{
    if (w->may_lose && w->files[file].is_open) {
        end_line(w, file);
        end_request(w, file);
    }
}

static void begin_anew(struct sim_world *w, unsigned file)
{
    if (w->may_lose && w->n_requests < SIM_EVENTS_MAX - 1) {
        begin_request(w, file);
        return;
    }
    w->files[file].has_open_line = false;
}

/* "f.log.2" becomes "f.log.3", and so on; "f.log.1" is free then. */
static void make_way(struct sim_world *w, unsigned file)
{
    char from[SIM_NAME_MAX];
    char to[SIM_NAME_MAX];
    unsigned n = ++w->files[file].n_rotated;

    if (n > SIM_ROTATED_MAX)
        n = w->files[file].n_rotated = SIM_ROTATED_MAX;
    for (unsigned age = n; age > 1; age--) {
        name_of(from, file, age - 1);
        name_of(to, file, age);
        sim_disk_rename(w->disk, from, to);
    }
}

static bool has_room(const struct sim_world *w, unsigned file)
{
    return w->may_lose || w->files[file].n_rotated < SIM_ROTATED_MAX;
}

static void rotate(struct sim_world *w, unsigned file)
{
    bool ends_late = sim_draw(w->random, 2);
    bool has_open_line;
    char from[SIM_NAME_MAX];
    char to[SIM_NAME_MAX];

    name_of(from, file, 0);
    name_of(to, file, 1);
    if (!has_room(w, file) || !sim_disk_find(w->disk, from))
        return;
    close_request(w, file);
    if (!ends_late)
        end_line(w, file);
    has_open_line = w->files[file].has_open_line;
    w->files[file].has_open_line = false;
    make_way(w, file);
    sim_disk_rename(w->disk, from, to);
    if (has_open_line) /* the writer still had it open */
        sim_disk_append_to(w->disk, sim_disk_find(w->disk, to), "\n");
    /* As logrotate's `create`. Without it, a file that comes and goes between two looks of a ship
     * that looks at current names only leaves no trace. */
    if (!w->sees_copies || w->may_lose || sim_draw(w->random, 2))
        put(w, file, "");
    begin_anew(w, file);
}

/* What is cut off may never have been read. */
static void copytruncate(struct sim_world *w, unsigned file)
{
    char from[SIM_NAME_MAX];
    char to[SIM_NAME_MAX];

    name_of(from, file, 0);
    name_of(to, file, 1);
    if (!sim_disk_find(w->disk, from))
        return;
    close_request(w, file);
    end_line(w, file);
    if (sim_draw(w->random, 2)) {
        make_way(w, file);
        sim_disk_copy(w->disk, from, to);
    }
    sim_disk_truncate(w->disk, from);
    begin_anew(w, file);
}

static void remove_one(struct sim_world *w, unsigned file)
{
    unsigned age = sim_draw(w->random, 4);
    char name[SIM_NAME_MAX];

    name_of(name, file, age);
    if (age == 0)
        close_request(w, file);
    if (age == 0 && w->files[file].has_open_line)
        end_line(w, file);
    sim_disk_remove(w->disk, name);
    if (age == 0)
        begin_anew(w, file);
}

const char *sim_world_act(struct sim_world *w, unsigned *file)
{
    unsigned die = sim_draw(w->random, 100);

    *file = sim_draw(w->random, SIM_FILES);
    if (die >= 70 && die < 85 && w->is_cut_back) {
        copytruncate(w, *file);
        return "is cut back: file";
    }
    if (die >= 70 && die < 85) {
        rotate(w, *file);
        return "rotates file";
    }
    if (die >= 90 && die < 95 && w->may_lose) {
        remove_one(w, *file);
        return "vanishes: one of file";
    }
    append(w, *file);
    return "grows: file";
}

void sim_world_begin(struct sim_world *w)
{
    for (unsigned file = 0; file < SIM_FILES; file++)
        append(w, file);
}

void sim_world_end(struct sim_world *w)
{
    for (unsigned file = 0; file < SIM_FILES; file++)
        end_line(w, file);
}

/* --- the check ------------------------------------------------------------------------------- */

struct check {
    const struct sim_world *world;
    const struct sim_server *servers;
    size_t n_servers;
    const bool *is_dead; /* lines in the dead letters */
    char *why;
    size_t cap;
};

static bool fail(const struct check *c, const char *what, enum sim_kind kind, unsigned n)
{
    static const char *const names[] = {"line", "START", "END", "REPORT", "summary"};

    snprintf(c->why, c->cap, "%s: %s %u", what, names[kind], n);
    return false;
}

static bool check_request(const struct check *c, const struct sim_server *s, enum sim_kind kind,
                          unsigned n)
{
    const struct sim_fact *f = &s->facts[kind][n];
    unsigned request = kind == SIM_LINE ? c->world->request_of[n] : n;
    char want[SIM_UUID_LEN + 1] = "";

    if (request)
        snprintf(want, sizeof want, UUID, request);
    if (strcmp(f->execution, want) == 0)
        return true;
    /* Where something was lost, none is better than a wrong one. */
    if (!f->execution[0] && c->world->may_lose)
        return true;
    if (!f->execution[0])
        return fail(c, "has no request", kind, n);
    fail(c, "has a wrong request", kind, n);
    snprintf(c->why + strlen(c->why), c->cap - strlen(c->why), " (%s, not %s)", f->execution,
             request ? want : "none");
    return false;
}

/* An event whose line is still on the disk. */
static bool check_event(const struct check *c, enum sim_kind kind, unsigned n)
{
    unsigned poison = c->servers[0].poison; /* the same for all */
    bool is_poison = poison && kind == SIM_LINE && n % poison == 0;
    bool is_stored = false;

    if (is_poison)
        return c->is_dead[n] || fail(c, "is neither stored nor a dead letter", kind, n);
    if (kind == SIM_LINE && c->is_dead[n])
        return fail(c, "is a dead letter, and nothing is wrong with it", kind, n);
    for (size_t i = 0; i < c->n_servers; i++) {
        const struct sim_server *s = &c->servers[i];

        is_stored |= s->facts[kind][n].is_stored;
        if (!s->was_left && !s->facts[kind][n].is_stored)
            return fail(c, "is lost", kind, n);
    }
    return is_stored || fail(c, "is lost", kind, n);
}

static bool check_line(const struct check *c, struct slice line)
{
    ptrdiff_t at = slice_find(line, slice_str("line-"));
    enum sim_kind kind;
    unsigned n;

    if (!sim_parse_event(at >= 0 ? slice_from(line, (size_t)at) : line, &kind, &n))
        return line.len == 0;
    if (!check_event(c, kind, n))
        return false;
    return kind != SIM_REPORT || check_event(c, SIM_SUMMARY, n);
}

static bool check_inode(const struct check *c, const struct sim_inode *i)
{
    struct slice rest = buffer_slice(&i->bytes);
    struct slice line;

    if (i->is_copy && !c->world->sees_copies)
        return true; /* what was cut off before it was read is lost */
    while (slice_cut(&rest, '\n', &line))
        if (!check_line(c, line))
            return false;
    return true;
}

static bool check_server(const struct check *c, const struct sim_server *s)
{
    if (s->violation[0]) {
        snprintf(c->why, c->cap, "%s", s->violation);
        return false;
    }
    for (int kind = 0; kind < SIM_KINDS; kind++)
        for (unsigned n = 0; n < SIM_EVENTS_MAX; n++) {
            const struct sim_fact *f = &s->facts[kind][n];

            if (f->n_ids > 1)
                return fail(c, "is there twice", (enum sim_kind)kind, n);
            if (f->is_stored && !check_request(c, s, (enum sim_kind)kind, n))
                return false;
        }
    return true;
}

bool sim_world_check(const struct sim_world *w, const struct sim_server *servers, size_t n,
                     const bool *is_dead, char *why, size_t cap)
{
    struct check c = {w, servers, n, is_dead, why, cap};

    for (size_t i = 0; i < n; i++)
        if (!check_server(&c, &servers[i]))
            return false;
    for (int i = 0; i < SIM_NAMES_MAX; i++)
        if (w->disk->names[i].name[0] && !check_inode(&c, w->disk->names[i].inode))
            return false;
    return true;
}
