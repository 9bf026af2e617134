#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/file_rig.h"

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(standard_input, .init = set_up, .fini = tear_down);

static void read_stdin(const char *text, bool is_pipe)
{
    static const char none[64];
    int fds[2];

    if (is_pipe) {
        cr_assert_eq(pipe(fds), 0);
        cr_assert_eq(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
        close(fds[1]);
    } else {
        rig_write(&r, "in", text);
        fds[0] = open(rig_path(&r, "in"), O_RDONLY);
    }
    cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    close(fds[0]);
    r.world.is_replay = true;
    r.input = input_stdin.open(none, &r.common, &r.parser, &r.world, NULL);
    for (int i = 0; i < 10; i++) {
        input_stdin.tick(r.input, r.now_ms += 100);
        pool_reap(r.pool);
        lanes_tick(r.lanes, r.now_ms, true);
        pool_reap(r.pool);
    }
    cr_expect(input_stdin.is_finished(r.input));
    cr_expect_eq(input_stdin.stats(r.input)->lines, 3);
    cr_expect_eq(budget_held(&r.budget), 0);
    input_stdin.close(r.input);
    r.input = NULL;
    rig_expect(&r, "one\ntwo\nopen end\n", is_pipe ? "a pipe" : "a file");
}

static void turn(void)
{
    input_stdin.tick(r.input, r.now_ms += 100);
    pool_reap(r.pool);
    lanes_tick(r.lanes, r.now_ms, true);
    pool_reap(r.pool);
}

/* A pipe gives its bytes once: what was taken of an open line is not dropped. */
Test(standard_input, told_to_stop)
{
    static const char none[64];
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "one\nopen", 8), 8);
    cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    r.input = input_stdin.open(none, &r.common, &r.parser, &r.world, NULL);
    turn();
    turn();
    rig_expect(&r, "one\n", "the open line waits");
    cr_assert_eq(write(fds[1], " stays in the pipe", 18), 18);
    input_stdin.stop(r.input);
    pool_reap(r.pool);
    lanes_tick(r.lanes, r.now_ms, true);
    pool_reap(r.pool);
    rig_expect(&r, "open\n", "what was read comes out, no more is read");
    cr_expect_eq(budget_held(&r.budget), 0);
    input_stdin.close(r.input);
    r.input = NULL;
    close(fds[0]);
    close(fds[1]);
}

Test(standard_input, to_its_end)
{
    read_stdin("one\ntwo\nopen end", true);
    read_stdin("one\ntwo\nopen end", false);
}
