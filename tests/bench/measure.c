/* measure REPORT COMMAND...: runs the command, and writes what it cost into the file REPORT:
 *
 *   {"start_ns":...,"wall":...,"user":...,"sys":...,"peak_kib":...,"exit":...}
 *
 * start_ns is CLOCK_MONOTONIC before the fork. CPU time and peak memory are wait4's, of the command
 * and of the children that it waited for. This program is as small as it can be, since Linux counts
 * the memory of who forks as the command's own peak. SIGTERM and SIGINT are passed on to the
 * command. */
#define _DEFAULT_SOURCE /* wait4 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t child;

static void pass_on(int signo)
{
    if (child > 0)
        kill((pid_t)child, signo);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int report(const char *path, int64_t start_ns, int status, const struct rusage *use)
{
    FILE *f = fopen(path, "w");
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    if (!f) {
        perror(path);
        return 1;
    }
    fprintf(f,
            "{\"start_ns\":%" PRId64 ",\"wall\":%.4f,\"user\":%.4f,\"sys\":%.4f,\"peak_kib\":%ld,"
            "\"exit\":%d}\n",
            start_ns, (double)(now_ns() - start_ns) / 1e9, seconds(use->ru_utime),
            seconds(use->ru_stime), use->ru_maxrss, code);
    return fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct sigaction on_signal = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    struct rusage use;
    int64_t start_ns;
    int status;
    pid_t pid;

    if (argc < 3) {
        fputs("usage: measure REPORT COMMAND...\n", stderr);
        return 2;
    }
    sigaction(SIGTERM, &on_signal, NULL);
    sigaction(SIGINT, &on_signal, NULL);
    start_ns = now_ns();
    pid = fork();
    if (pid < 0) {
        perror("fork");
        return 1;
    }
    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        execvp(argv[2], argv + 2);
        fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    child = pid;
    while (wait4(pid, &status, 0, &use) < 0)
        if (errno != EINTR)
            return 1;
    return report(argv[1], start_ns, status, &use);
}
