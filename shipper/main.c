/* ship: brings the logs of cloud functions home. Finds the verb and runs it. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "shipper/verbs/verbs.h"

static bool is_word(const char *arg, const char *one, const char *other)
{
    return arg && (strcmp(arg, one) == 0 || strcmp(arg, other) == 0);
}

/* `ship`, `ship -c FILE` and `ship --replay ...` stand for `ship run`, `ship run -c FILE` and
 * `ship replay ...`: *n_skip is how many words come before the verb's own. NULL: no such verb. */
static const struct verb *choose(int argc, char **argv, int *n_skip)
{
    const char *first = argc > 1 ? argv[1] : NULL;

    *n_skip = 1;
    if (is_word(first, "--help", "-h"))
        return &verb_help;
    if (first && first[0] != '-')
        return verb_find(first);
    *n_skip = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--replay") == 0)
            return &verb_replay;
    return &verb_run;
}

/* A standard descriptor that was closed would become that of the next file we open: documents in
 * the checkpoints. What is opened in its place fails when it is used, as the closed one would. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Credentials are in our memory, in libcurl's copies too, and in our environment: none of it into a
 * core dump, or for the other processes of our user to read. The leak checker of ASan must. */
static void keep_memory_private(void)
{
#ifndef SHIP_CHECKS_LEAKS
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
}

/* `ship trace --help` is `ship help trace`. */
static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_word(argv[i], "--help", "-h"))
            return true;
    return false;
}

/* SIGHUP reloads a service; one that comes before it listens must not end it. */
static void hold_hangup(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(how, &set, NULL);
}

/* Memory of a huge line goes back to the system when it is freed. By itself glibc raises what it
 * calls large with each such block, until 32 MiB, and keeps them: 5 MB lines took 16 MB more. */
static void give_back_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

int main(int argc, char **argv)
{
    const struct verb *verb;
    int n_skip;

    hold_hangup(SIG_BLOCK);
    fill_standard_descriptors();
    keep_memory_private();
    give_back_large_blocks();
    /* A reader that goes away, or a file that may not grow, is an answer of write(2), not our end.
     */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc > 1 && is_word(argv[1], "--version", "-V")) {
        puts("ship " SHIP_VERSION);
        return EXIT_DONE;
    }
    verb = choose(argc, argv, &n_skip);
    if (verb != &verb_run)
        hold_hangup(SIG_UNBLOCK);
    if (!verb)
        return verb_unknown(argv[1]);
    if (wants_help(argc - n_skip, argv + n_skip))
        return verb_show_help(verb);
    return verb->run(argc - n_skip, argv + n_skip);
}
