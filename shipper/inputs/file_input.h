/* The inside of the file input, shared by the files that make it: file.c (options, life),
 * file_table.c (what is known), file_scan.c (which files are there), file_spot.c (a look at one
 * path), file_discover.c (generations not known before), file_rotate.c (where files went),
 * file_away.c (how long they are read there), file_chain.c (who waits for whom), file_open.c
 * (descriptors), file_read.c (whose turn it is to be read), file_restore.c (where to go on after a
 * restart), file_had.c (and what some outputs have had behind that), file_late.c (what is written
 * to after its end), file_sweep.c (what is forgotten), file_cut.c (texts that were cut away),
 * file_copy.c (other files that have them), file_twin.c (those that patterns have too), file_left.c
 * (descriptors at a reload), file_lag.c (how far behind it is), file_paths.c (paths made absolute),
 * file_check.c (what `ship check` says), file_overlap.c (two inputs over the same files).
 *
 * How news travels: a scan or the kernel queues spots; checking a spot looks at its path, and finds
 * the file there grown, rewritten, gone or replaced; tails with news are made ready; ready tails
 * are read in turn. A spot or tail that nothing happened to costs nothing. Thread: the loop's. */
#ifndef SHIP_INPUTS_FILE_INPUT_H
#define SHIP_INPUTS_FILE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/inputs/handover.h"
#include "shipper/inputs/input.h"
#include "shipper/inputs/list.h"
#include "shipper/inputs/tail.h"

struct sibling;
struct siblings;
struct siblings_round;
struct watch;

enum {
    FILE_RESCAN_MS = 10000, /* with inotify: what it missed is found after so long */
    FILE_SCAN_GAP_MS = 250, /* between scans that events ask for, however many there are */
    FILE_IDLE_CLOSE_MS = 5000,
    FILE_MAX_SPOTS = 50000,  /* paths that are followed: each takes 3.5 KB with its file */
    FILE_MAX_OPEN = 1024,    /* descriptors of files that could be opened again */
    FILE_MAX_HELD = 16384,   /* and of those that could not: away and unread, or deleted */
    FILE_TELL_MAX = 5,       /* files that are named one by one when there are many */
    FILE_TELL_MS = 60000,    /* what stays true is said again after so long */
    FILE_MAX_TROUBLES = 64,  /* directories that cannot be looked into, remembered as told */
    FILE_REPLAY_AHEAD = 256, /* files of a replay that are known at a time */
    FILE_CHECKS_PER_TICK = 256,
    FILE_RETRY_MS = 1000,     /* after a failure to open or read */
    FILE_PATIENCE_MS = 10000, /* with a rotated file that cannot be read, ... */
    FILE_PATIENCE_TRIES = 8,  /* ... and was tried so often meanwhile */
    FILE_BUDGET_RETRY_MS = 50,
    FILE_SETTLE_MS = 50,       /* how often those that are drained are looked through */
    FILE_FORGET_S = 24 * 3600, /* rows of files that are gone */
    FILE_MAX_ROWS = 32768,     /* beyond so many, those of files that are there too */
};

struct file_options {
    struct option_list paths;
    struct option_list exclude;
    int watch; /* enum file_watch */
    int64_t poll_interval_ms;
    int read_from; /* enum file_from */
    bool recursive_directories;
    const char *as;
};
enum file_watch { FILE_WATCH_INOTIFY, FILE_WATCH_POLL };
enum file_from { FILE_FROM_BEGINNING, FILE_FROM_END };

/* A path that the configuration names and that was there at least once. */
struct spot {
    struct spot *next;     /* in its bucket */
    struct spot *next_kin; /* of its origin, or of another in the same bucket */
    struct link queued;    /* to be checked */
    struct tail *tail;     /* the file that is there */
    struct tail *previous; /* the one before it, as long as it lives */
    uint32_t seen;         /* the last scan that found it */
    bool has_complained;
    bool is_link;    /* has a watch of its own */
    bool is_literal; /* named as it is: that it is no file is worth a word */
    bool is_done;    /* a packed file that was read: as long as it is `done` */
    struct file_id done;
    uint64_t done_size;
    char path[];
};

/* A row of an earlier life, or of a generation that is read and gone, until it is claimed. */
struct known {
    struct known *next; /* in its bucket */
    struct file_id id;
    unsigned n_rewritten;
    uint64_t position;
    uint64_t refused_size; /* its file was this long, and is not the one that was read */
    uint64_t head_hash;
    int64_t seen_s;
    bool is_finished;
    char *path;
    struct buffer state;
};

/* A directory that could not be looked into, and that was told. */
struct file_trouble {
    uint64_t hash; /* of its path and why; 0: none */
    uint32_t seen; /* the last scan that met it */
};

struct input {
    const struct file_options *options;
    const struct input_common *common;
    const struct input_world *world;
    struct stream_options stream_options;
    struct input_stats stats;
    char **patterns; /* options->paths, absolute */
    char **excludes;
    char **own_files;    /* world->own_files, absolute */
    struct watch *watch; /* NULL: polling */

    /* file_table.c */
    struct spot **spots;
    struct spot **kin; /* by origin; as many buckets */
    size_t n_spots, spot_buckets;
    bool is_full;        /* told that there are more than FILE_MAX_SPOTS */
    struct tail **tails; /* by identity */
    size_t n_tails, tail_buckets;
    struct known **knowns;
    size_t n_knowns, known_buckets;
    struct file_had *had;
    struct handover left; /* descriptors from the agent before, until their files are found */
    struct link all;

    /* file_scan.c */
    struct link checks;   /* spots to look at */
    struct link homeless; /* tails that lost their spot */
    uint32_t scan;
    int64_t scan_ms;     /* when the next one is due */
    int64_t may_scan_ms; /* and not before, whatever events say */
    bool is_scanned;     /* the checks are those of all spots, in order */
    bool is_first_scan;  /* its checks are not through yet */
    bool skips_present;  /* read_from: end, at the very first start */
    bool is_scan_due;
    bool has_orphans;    /* a directory could not be looked through at the start: again */
    unsigned n_gone;     /* origins whose file was not found again at the start */
    uint64_t scanned_ns; /* wall time of the last scan; 0 before the first */
    uint64_t looked_ns;  /* what was born before was seen, if it was there then; 0: never looked */
    struct spot **order; /* all spots, oldest first within an origin; n_order of them */
    size_t n_order;
    bool has_order;               /* no spot came or went since it was made */
    struct tail *checked;         /* at the spot that was checked last */
    struct siblings_round *round; /* of this tick's checks */
    bool has_match;
    struct err *trouble; /* takes the first directory that cannot be looked into; NULL: logged */
    struct file_trouble troubles[FILE_MAX_TROUBLES];
    uint32_t untold_scan; /* the last with more of them than that; 0: none had */

    /* file_read.c */
    struct link ready;
    struct link idle;
    struct link cut; /* packed files, open and waiting for the rest of their data */
    struct link quiet;
    struct link away;
    struct link settling; /* drained, with events under way */
    struct link seeking;
    unsigned n_busy, n_open, n_packed_open;
    unsigned n_held;               /* of those that are open; they do not count in most_open */
    unsigned most_open, most_held; /* FILE_MAX_OPEN and FILE_MAX_HELD, or what we may have */
    unsigned n_at_risk;            /* could not be held since there was room last */
    int64_t full_ms;               /* when none was found that could be let go */
    int64_t tied_ms;               /* when deleted files that are held are told of again */
    uint64_t n_unread;             /* tails that are not drained */
    int64_t away_ms;               /* when those away are looked at next */
    int64_t settle_ms;             /* and those that settle */
    int64_t retry_ms;              /* nothing is read before: memory was out */
    int64_t open_ms;               /* nothing is opened before: descriptors were out */
    bool has_complained_descriptors;
    bool is_starved; /* the budget had no room */
    bool is_stopped;
    int64_t now_ms; /* of this tick */
    int64_t sweep_ms;
    int64_t keep_s; /* rows of files that are there, while there are too many */

    /* file_late.c */
    int64_t late_ms; /* when rows are looked at next */
    int64_t late_pass_ms;
    size_t late_bucket; /* the next of this pass; 0: a new one begins */
};

/* --- file_paths.c --- */
/* Absolute and simplified, NULL-terminated; with keeps_names, what has no slash stays as it is.
 * NULL when memory is out. */
char **file_paths(const struct option_list *list, bool keeps_names);
void file_paths_free(char **paths);

/* --- file_check.c --- */
/* For struct input_ops. */
bool file_check(const void *options, const struct files *files, struct buffer *out);

/* --- file_lag.c --- */
/* For struct input_ops. */
uint64_t file_lag_bytes(const struct input *in);

/* --- file_overlap.c --- */
/* For struct input_ops. */
bool file_overlaps(const void *one, const void *other, const struct files *files,
                   struct buffer *path);

/* --- file_table.c: tables; NULL when there is none, or memory is out --- */
struct spot *file_spot_find(const struct input *in, const char *path);
struct spot *file_spot_get(struct input *in, const char *path);
/* The one next in age of those of the same origin that have a file, or are to be checked. */
struct spot *file_spot_older(const struct input *in, const struct spot *s);
/* Those of the path's origin, one after the other; NULL: the first, and none is left. */
struct spot *file_spot_kin(const struct input *in, const char *path, const struct spot *after);
void file_spot_remove(struct input *in, struct spot *s);
struct tail *file_tail_find(const struct input *in, const struct file_id *id);
bool file_tail_insert(struct input *in, struct tail *t);
/* It is to be found by another identity. */
void file_tail_rename(struct input *in, struct tail *t, const struct file_id *id);
void file_tail_remove(struct input *in, struct tail *t); /* from the tables; not freed */
/* Of several generations in one inode the newest. */
struct known *file_known_find(const struct input *in, const struct file_id *id);
struct known *file_known_at(const struct input *in, const struct file_id *id, unsigned n_rewritten);
/* One after the other, in no order; NULL: the first, and none is left. */
struct known *file_known_next(const struct input *in, const struct file_id *id,
                              const struct known *after);
/* Takes k; frees it when memory is out. */
void file_known_insert(struct input *in, struct known *k);
void file_known_remove(struct input *in, struct known *k); /* and frees it */
void file_known_free(struct known *k);
void file_tables_free(struct input *in);

/* --- file_scan.c --- */
void file_queue_check(struct input *in, struct spot *s);
void file_scan_patterns(struct input *in);
bool file_matches(const struct input *in, const char *path);
void file_log(struct input *in, struct err *e);
/* For watch.h. */
void file_on_changed(void *ctx, const char *directory, const char *name, bool is_directory);

/* --- file_spot.c --- */
void file_check_spots(struct input *in);

/* --- file_discover.c --- */
/* A tail for this generation, in the tables, with its source; nothing else. NULL: logged. */
struct tail *file_make_tail(struct input *in, const char *path, const char *where,
                            const struct file_stat *st, unsigned n_rewritten);
/* A generation that was not known: made, restored from its row, linked to its predecessor, and put
 * to work. spot may be NULL (away at `path`). NULL when it cannot be read; that is logged. */
struct tail *file_discover(struct input *in, struct spot *spot, const char *path,
                           const struct file_stat *st, struct tail *predecessor);
/* The tail is at this spot now. */
void file_take_spot(struct input *in, struct spot *s, struct tail *t);
/* It was there before the one that is there now. */
void file_set_previous(struct spot *s, struct tail *t);

/* --- file_rotate.c --- */
void file_displace(struct input *in, struct tail *t);
/* For a bounded number of those that lost their spot. */
void file_find_homes(struct input *in);
/* A file that nobody knows, away: found, and put to work. NULL: it cannot be read. */
struct tail *file_discover_away(struct input *in, const struct sibling *s,
                                struct tail *predecessor);
/* The same, between t and its successor; returns which of the first two is the newer. */
struct tail *file_insert_missed(struct input *in, struct tail *t, const struct sibling *s);
/* A packed file that came, and was rotated away and packed, while ship was away. */
bool file_is_missed_packed(const struct input *in, const struct sibling *s);
/* After a restart: files that were rotated away and not read to their end. */
void file_find_orphans(struct input *in);
/* A path that is new to us: generations of it that were rotated away since we last looked. Makes
 * their tails, after `last` (NULL: none); the newest, or `last`, is what the file at the path
 * follows. */
struct tail *file_find_unseen(struct input *in, const char *path, const struct file_stat *st,
                              struct tail *last);

/* --- file_away.c --- */
/* For a tail that is away: whatever is due for it. */
void file_step_away(struct input *in, struct tail *t);
void file_step_those_away(struct input *in);
/* At the end: what goes with the descriptors of deleted files. */
void file_tell_unread(struct input *in);
/* It was renamed once more since it was found: its row must say where it is. */
bool file_has_left(const struct input *in, const struct tail *t);

/* --- file_had.c --- */
/* What a stream's outputs had in the life before, until its file is found. */
struct file_had;
int file_load_had(struct input *in, struct err *e);
/* t goes on from its row: it has its part of it. */
void file_take_had(struct input *in, struct tail *t);
/* t is about to be read: if another text is there now, nothing of it was had. */
void file_check_had(struct tail *t);
/* For struct input_ops. */
void file_note_had(struct input *in);
void file_free_had(struct input *in);

/* --- file_copy.c: a text whose file is gone or was cut, and another file that has it --- */
struct lost_text {
    const char *path;   /* where it was */
    uint64_t born_ns;   /* the file; 0: not known */
    uint64_t since_ns;  /* a copy was made after that */
    uint64_t head_hash; /* 0: nothing of it was read */
    uint64_t position;
    uint64_t mark;
    uint64_t size; /* at least; of what was not read at all */
};
/* The file may have this text, and nobody reads it. A packed one begins as that began, and was last
 * written to after the file was born; whether its bytes before the position are the same shows when
 * it is read. Of a plain one that is known here. */
bool file_may_be_copy(struct input *in, const struct lost_text *text, const struct sibling *file);
/* By its length, where a packed one's format says it: reading it would bring nothing behind the
 * position. */
bool file_is_whole_copy(const struct input *in, uint64_t position, const struct sibling *file);
/* A file is not to be read: its text was. */
void file_know_copy(struct input *in, const char *path, const struct file_id *id, uint64_t position,
                    uint64_t head_hash);
/* t's text is not there any more, and t not open: as soon as all that was read of it is settled, it
 * is read on from a copy; without one, what is known to be unread is told and counted as lost. */
void file_seek_copy(struct input *in, struct tail *t);
/* For all of those. */
void file_find_copies(struct input *in);
/* Goes on in the copy; nothing of t may be in work. False: out of memory. */
bool file_take_copy(struct input *in, struct tail *t, const struct sibling *copy);
/* The row's text goes on there; *k is used up. After `predecessor`, if that is not NULL. NULL: out
 * of memory. */
struct tail *file_take_up_copy(struct input *in, struct known *k, const struct sibling *copy,
                               struct tail *predecessor);
/* The copy that t reads has another text: the next that may be one, or none. */
void file_other_copy(struct input *in, struct tail *t);
/* t was read from a copy, to its end. */
void file_settle_copy(struct input *in, struct tail *t);

/* --- file_cut.c --- */
/* The file at its spot was truncated or written anew: another generation. */
void file_rewritten(struct input *in, struct tail *t);
/* No copy has the rest of t's text: what is known to have been there is told and counted. */
void file_end_cut(struct input *in, struct tail *t);
/* Copies among `s` that were made after t's: of texts that were there between t's and the one that
 * is there now, and that nobody saw. */
void file_read_between(struct input *in, struct tail *t, const struct sibling *copy,
                       const struct siblings *s);
/* The rest of texts that this inode had when its rows were written, but for that of `fits` (NULL:
 * of none), from their copies; and at a start, copies that came since. Makes their tails, after
 * `last`; the newest, or `last`. */
struct tail *file_read_cut(struct input *in, const struct file_id *id, const struct known *fits,
                           const char *path, struct tail *last);

/* --- file_twin.c --- */
/* What is new at the spot is not to be read, or not yet: its text may be one that is read under
 * another name. */
bool file_is_twin(struct input *in, struct spot *s, const struct file_stat *st);
/* t's file is gone: packed files that have all of what was read of it are not to be read. */
void file_know_twins(struct input *in, const struct tail *t);

/* --- file_chain.c --- */
/* t waits until what came before it is read. */
void file_hold(struct input *in, struct tail *t, struct tail *predecessor);
/* What came before t is not known: it inherits nothing. Nothing of it is being read. */
void file_cut_off(struct input *in, struct tail *t);
/* Where it belongs among those of its origin is not known: nor does it hand on anything. */
void file_put_aside(struct input *in, struct tail *t);
/* The successor gets what correlation knows and is put to work. */
void file_hand_over(struct input *in, struct tail *t);

/* --- file_open.c --- */
/* Opens its descriptor; false: logged, and tried again later where that can help. */
bool file_open(struct input *in, struct tail *t);
/* Where a packed file is. */
const char *file_packed_path(const struct tail *t);
/* Takes an open descriptor of its file; false: t reads none. */
bool file_adopt(struct input *in, struct tail *t, int fd);
/* The same before its turn, while descriptors are left: it may go away meanwhile. */
/* Of so many that are open and at rest; NULL: none. */
struct tail *file_idle_longest(const struct input *in, uint64_t looks);
void file_open_ahead(struct input *in, struct tail *t);
/* It is away: keeps its descriptor, or opens one, if it is not read to its end. At the limit it is
 * told what is lost if it is deleted; of one that is deleted, what is lost. */
void file_keep(struct input *in, struct tail *t);
/* It has a path again, or needs none any more. */
void file_let_go(struct input *in, struct tail *t);
/* What was known to be there, was not read, and is gone. */
void file_tell_lost(struct input *in, struct tail *t);
/* Nothing is to be read of it now: if it is open, it may have to give its descriptor away. */
void file_rest(struct input *in, struct tail *t);
/* file_left.c: at a reload. */
/* Leaves its descriptors to the next input. */
void file_leave(struct input *in, struct handover *out);
/* Takes what the input before left and has a row that is ours. */
void file_take_left(struct input *in);
/* t was found by a path: it is open, if it was left. */
void file_adopt_left(struct input *in, struct tail *t);
/* The file of this row, if it is deleted and was left. */
struct tail *file_claim_deleted(struct input *in, const struct file_id *id, unsigned n_rewritten,
                                struct tail *predecessor);
/* The texts that were read in copies, or packed: their rows' files have other texts, or are gone.
 */
void file_claim_copies(struct input *in);
/* All that were left, and that the first scan did not find by a path. */
void file_claim_rest(struct input *in);
/* What zstd may take for a file of this input. */
enum packed_window file_window(const struct input *in);
void file_shut(struct input *in, struct tail *t);
/* It cannot be read now; said once of each file. */
void file_complain(struct input *in, struct tail *t, struct err *e);

/* --- file_read.c --- */
/* A record that might have gone on comes out as it is; then the file is looked at again. False: not
 * now. */
bool file_flush_record(struct input *in, struct tail *t);
void file_ready(struct input *in, struct tail *t);
void file_finish(struct input *in, struct tail *t);
/* Nothing of it will be read any more. */
void file_drained(struct input *in, struct tail *t);
void file_read_some(struct input *in);
int64_t file_read_due(const struct input *in);
void file_forget_tail(struct input *in, struct tail *t); /* out of every list and table; freed */

/* --- file_restore.c --- */
int file_load_rows(struct input *in, struct err *e);
/* False: it is not the key of a file's row. */
bool file_parse_key(const char *key, struct file_id *id, unsigned *n_rewritten);
/* What the file at `path` was named when it was written to: what a rotation adds is off, and the
 * directory that logrotate's olddir names, if a pattern has the rest. Freed by the caller; NULL:
 * out of memory. */
char *file_origin(const struct input *in, const char *path);
/* The file at `path` still begins as the row says, has before its position what was read there, and
 * is long enough. */
bool file_row_fits(struct input *in, const struct known *k, const char *path,
                   const struct file_stat *st);
/* The first line's hash of a file; 0: it has none, or cannot be read. */
uint64_t file_head(struct input *in, const struct sibling *file);
/* Whether a plain file begins with that line, and has before the position what this mark says. */
bool file_has_text(struct input *in, const struct sibling *file, uint64_t head_hash,
                   uint64_t position, uint64_t mark);
/* Goes on where the row says; forgets the row. */
void file_restore(struct input *in, struct tail *t, struct known *k);
/* Rows of generations whose content is no longer in this inode. */
void file_forget_rows(struct input *in, const struct file_id *id);
/* Starts at the last line's beginning. */
void file_start_at_end(struct input *in, struct tail *t, const char *path, uint64_t size);
/* A row for a generation of which nothing is read yet. */
void file_put_row(struct input *in, struct tail *t, bool is_finished);
/* The row as it is here. */
void file_put_known(struct input *in, const struct known *k);
/* From here, and from the store. */
void file_forget_row(struct input *in, struct known *k);
/* Its last word: finished, or forgotten. */
void file_settled(struct input *in, struct tail *t);

/* --- file_sweep.c --- */
/* The row's file is at the row's path still, or nobody can tell. */
bool file_is_where_it_was(const struct input *in, const struct known *k);
void file_sweep(struct input *in);

/* --- file_late.c --- */
/* Something happened at a path that no pattern has. */
void file_late_changed(struct input *in, const char *path);
/* For a few of the rows of files that were read to their end. */
void file_late_step(struct input *in);
int64_t file_late_due(const struct input *in);

#endif
