#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "shipper/inputs/handover.h"

static const struct file_id one = {1, 2, 3};
static const struct file_id other = {1, 2, 4};

static int open_one(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

Test(handover, descriptors_are_taken_once_and_the_rest_is_closed)
{
    struct handover from = {0};
    struct handover to = {0};
    int fds[] = {open_one(), open_one(), open_one()};

    handover_add_file(&from, &files_posix, &one, fds[0]);
    handover_add_file(&from, &files_posix, &other, fds[1]);
    handover_add_file(&to, &files_posix, &(struct file_id){9, 9, 9}, fds[2]);
    handover_move(&from, &to);
    cr_expect_null(from.files);
    cr_expect_eq(handover_take_file(&from, &one), -1);
    cr_expect_eq(handover_take_file(&to, &one), fds[0]);
    cr_expect_eq(handover_take_file(&to, &one), -1);
    handover_fini(&to);
    cr_expect(is_open(fds[0]));
    cr_expect(!is_open(fds[1]));
    cr_expect(!is_open(fds[2]));
    close(fds[0]);
}

Test(handover, what_is_there_already_is_not_replaced)
{
    struct handover from = {.rest = {.is_there = true, .position = 1}};
    struct handover to = {.rest = {.is_there = true, .position = 2}};

    handover_move(&from, &to);
    cr_expect_eq(to.rest.position, 2);
    to = (struct handover){0};
    handover_move(&from, &to);
    cr_expect_eq(to.rest.position, 1);
    cr_expect(!from.rest.is_there);
    handover_fini(&from);
    handover_fini(&to);
}
