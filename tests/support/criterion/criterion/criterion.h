/* The part of Criterion's interface that ship's unit tests use, for runs under ThreadSanitizer.
 *
 * The real Criterion keeps its tests' data in a shared mapping at an address of its own choosing,
 * where ThreadSanitizer allows none, and aborts. Here a test is a function in a list, run in a
 * forked child; main.c beside this file is the runner. A macro that is missing is a compile error
 * of the tsan flavour: add it here.
 *
 * Thread: asserts may be used from any thread of a test; cr_assert_* ends the whole test. */
#ifndef SHIP_TESTS_CRITERION_H
#define SHIP_TESTS_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cr_options {
    void (*init)(void);
    void (*fini)(void);
    double timeout; /* seconds */
    int signal;     /* that is expected to end the test */
    int exit_code;  /* that is expected of it */
    bool disabled;
};

struct cr_test {
    const char *suite;
    const char *name;
    void (*run)(void);
    struct cr_options options;
    struct cr_test *next;
};

void cr_register(struct cr_test *test);

/* Sets what the suite's tests have that say nothing themselves. */
void cr_register_suite(const char *suite, struct cr_options options);

/* Reports a failed claim; ends the test if it is fatal. */
void cr_failed(bool is_fatal, const char *file, int line, const char *claim, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

void cr_skipped(void);

#define Test(s, n, ...)                                                                            \
    static void cr_run_##s##_##n(void);                                                            \
    __attribute__((constructor)) static void cr_add_##s##_##n(void)                                \
    {                                                                                              \
        static struct cr_test test = {#s, #n, cr_run_##s##_##n, {__VA_ARGS__}, NULL};              \
        cr_register(&test);                                                                        \
    }                                                                                              \
    static void cr_run_##s##_##n(void)

#define TestSuite(s, ...)                                                                          \
    __attribute__((constructor)) static void cr_add_suite_##s(void)                                \
    {                                                                                              \
        cr_register_suite(#s, (struct cr_options){__VA_ARGS__});                                   \
    }                                                                                              \
    struct cr_options

#define CR_CLAIM(fatal, claim, ...)                                                                \
    ((claim) ? (void)0 : cr_failed(fatal, __FILE__, __LINE__, #claim, "" __VA_ARGS__))

#define cr_assert(c, ...) CR_CLAIM(true, c, __VA_ARGS__)
#define cr_assert_not(c, ...) CR_CLAIM(true, !(c), __VA_ARGS__)
#define cr_assert_eq(a, b, ...) CR_CLAIM(true, (a) == (b), __VA_ARGS__)
#define cr_assert_neq(a, b, ...) CR_CLAIM(true, (a) != (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...) CR_CLAIM(true, (a) < (b), __VA_ARGS__)
#define cr_assert_leq(a, b, ...) CR_CLAIM(true, (a) <= (b), __VA_ARGS__)
#define cr_assert_gt(a, b, ...) CR_CLAIM(true, (a) > (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...) CR_CLAIM(true, (a) >= (b), __VA_ARGS__)
#define cr_assert_null(p, ...) CR_CLAIM(true, !(p), __VA_ARGS__)
#define cr_assert_not_null(p, ...) CR_CLAIM(true, (p) != NULL, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) CR_CLAIM(true, strcmp(a, b) == 0, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) CR_CLAIM(true, strcmp(a, b) != 0, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) CR_CLAIM(true, memcmp(a, b, n) == 0, __VA_ARGS__)
#define cr_assert_fail(...) CR_CLAIM(true, false, __VA_ARGS__)

#define cr_expect(c, ...) CR_CLAIM(false, c, __VA_ARGS__)
#define cr_expect_not(c, ...) CR_CLAIM(false, !(c), __VA_ARGS__)
#define cr_expect_eq(a, b, ...) CR_CLAIM(false, (a) == (b), __VA_ARGS__)
#define cr_expect_neq(a, b, ...) CR_CLAIM(false, (a) != (b), __VA_ARGS__)
#define cr_expect_lt(a, b, ...) CR_CLAIM(false, (a) < (b), __VA_ARGS__)
#define cr_expect_leq(a, b, ...) CR_CLAIM(false, (a) <= (b), __VA_ARGS__)
#define cr_expect_gt(a, b, ...) CR_CLAIM(false, (a) > (b), __VA_ARGS__)
#define cr_expect_geq(a, b, ...) CR_CLAIM(false, (a) >= (b), __VA_ARGS__)
#define cr_expect_null(p, ...) CR_CLAIM(false, !(p), __VA_ARGS__)
#define cr_expect_not_null(p, ...) CR_CLAIM(false, (p) != NULL, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) CR_CLAIM(false, strcmp(a, b) == 0, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) CR_CLAIM(false, strcmp(a, b) != 0, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, n, ...) CR_CLAIM(false, memcmp(a, b, n) == 0, __VA_ARGS__)
#define cr_expect_fail(...) CR_CLAIM(false, false, __VA_ARGS__)
#define cr_fail(...) CR_CLAIM(false, false, __VA_ARGS__)
#define cr_fatal(...) CR_CLAIM(true, false, __VA_ARGS__)
#define cr_expect_float_eq(a, b, eps, ...)                                                         \
    CR_CLAIM(false, (a) - (b) <= (eps) && (b) - (a) <= (eps), __VA_ARGS__)
#define cr_assert_float_eq(a, b, eps, ...)                                                         \
    CR_CLAIM(true, (a) - (b) <= (eps) && (b) - (a) <= (eps), __VA_ARGS__)

#define cr_skip(...) cr_skipped()
#define cr_skip_test(...) cr_skip(__VA_ARGS__)
#define cr_log_info(...) ((void)fprintf(stderr, __VA_ARGS__), (void)fputc('\n', stderr))
#define cr_log_warn(...) cr_log_info(__VA_ARGS__)

#endif
