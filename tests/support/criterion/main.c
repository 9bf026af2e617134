/* The runner of the tsan flavour's unit tests; criterion/criterion.h beside it says why.
 *
 * It understands what tests/run passes to Criterion (--filter=, --xml=, and ignores the rest) and
 * writes the same kinds of lines and the same XML. */
#include <criterion/criterion.h>

#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77, DEFAULT_TIMEOUT_S = 120, MAX_SUITES = 256 };

struct suite {
    const char *name;
    struct cr_options options;
};

static struct cr_test *tests;
static struct suite suites[MAX_SUITES];
static size_t n_suites;
static int n_failed_claims; /* of the running test, in its own process */

void cr_register(struct cr_test *test)
{
    test->next = tests;
    tests = test;
}

void cr_register_suite(const char *suite, struct cr_options options)
{
    if (n_suites < MAX_SUITES)
        suites[n_suites++] = (struct suite){suite, options};
}

void cr_failed(bool is_fatal, const char *file, int line, const char *claim, const char *fmt, ...)
{
    char why[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    fprintf(stderr, "[----] %s:%d: Assertion Failed: %s: %s\n", file, line, claim, why);
    __atomic_add_fetch(&n_failed_claims, 1, __ATOMIC_SEQ_CST);
    if (is_fatal)
        _exit(EXIT_FAILURE);
}

void cr_skipped(void)
{
    _exit(EXIT_SKIPPED);
}

/* What the test says, and its suite where the test says nothing. */
static struct cr_options options_of(const struct cr_test *test)
{
    struct cr_options o = test->options;

    for (size_t i = 0; i < n_suites; i++) {
        if (strcmp(suites[i].name, test->suite) != 0)
            continue;
        if (!o.init)
            o.init = suites[i].options.init;
        if (!o.fini)
            o.fini = suites[i].options.fini;
        if (o.timeout <= 0)
            o.timeout = suites[i].options.timeout;
    }
    return o;
}

/* In the child: never returns. */
static void run_here(const struct cr_test *test, const struct cr_options *o)
{
    alarm(o->timeout > 0 ? (unsigned)o->timeout + 1 : DEFAULT_TIMEOUT_S);
    if (o->init)
        o->init();
    test->run();
    if (o->fini)
        o->fini();
    exit(n_failed_claims ? EXIT_FAILURE : EXIT_SUCCESS); /* exit: TSan has its last word there */
}

static const char *run(const struct cr_test *test)
{
    struct cr_options o = options_of(test);
    int status = 0;
    pid_t child;

    if (o.disabled)
        return "SKIPPED";
    fflush(NULL);
    child = fork();
    if (child == 0)
        run_here(test, &o);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return "ERRORED";
    if (WIFSIGNALED(status)) {
        if (WTERMSIG(status) == o.signal)
            return "PASSED";
        fprintf(stderr, "[----] ended by signal %d\n", WTERMSIG(status));
        return "ERRORED";
    }
    if (WEXITSTATUS(status) == EXIT_SKIPPED)
        return "SKIPPED";
    return WEXITSTATUS(status) == o.exit_code && !o.signal ? "PASSED" : "FAILED";
}

static void write_case(FILE *xml, const struct cr_test *test, const char *status)
{
    if (xml)
        fprintf(xml, "<testsuite name=\"%s\"><testcase name=\"%s\" status=\"%s\"/></testsuite>\n",
                test->suite, test->name, status);
}

static int run_all(const char *filter, FILE *xml)
{
    int n_bad = 0;

    for (const struct cr_test *test = tests; test; test = test->next) {
        char name[512];
        const char *status;

        snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
        if (fnmatch(filter, name, 0) != 0)
            continue;
        fprintf(stderr, "[RUN ] %s::%s\n", test->suite, test->name);
        status = run(test);
        fprintf(stderr, "[%.4s] %s::%s: \n", status, test->suite, test->name);
        n_bad += strcmp(status, "PASSED") != 0 && strcmp(status, "SKIPPED") != 0;
        write_case(xml, test, status);
    }
    return n_bad;
}

int main(int argc, char **argv)
{
    const char *filter = "*";
    FILE *xml = NULL;
    int n_bad;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--filter=", 9) == 0)
            filter = argv[i] + 9;
        else if (strncmp(argv[i], "--xml=", 6) == 0)
            xml = fopen(argv[i] + 6, "w");
    }
    if (xml)
        fputs("<testsuites>\n", xml);
    n_bad = run_all(filter, xml);
    if (xml) {
        fputs("</testsuites>\n", xml);
        fclose(xml);
    }
    return n_bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
