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

static void add(struct handover *h, struct file_id id, unsigned n_rewritten, int fd)
{
    char path[] = "/l/a.log.1.gz";

    handover_add_file(h, &(struct left_file){.id = id,
                                             .n_rewritten = n_rewritten,
                                             .copy_path = path,
                                             .files = &files_posix,
                                             .fd = fd});
}

Test(handover, descriptors_are_taken_once_and_the_rest_is_closed)
{
    struct handover from = {0};
    struct handover to = {0};
    int fds[] = {open_one(), open_one(), open_one()};
    struct left_file *f;

    add(&from, one, 0, fds[0]);
    add(&from, other, 0, fds[1]);
    add(&to, (struct file_id){9, 9, 9}, 0, fds[2]);
    handover_move(&from, &to);
    cr_expect_null(from.files);
    cr_expect_null(handover_take_file(&from, &one, 0));
    cr_expect_null(handover_take_file(&to, &one, 1), "another text that was in this file");
    f = handover_take_file(&to, &one, 0);
    cr_assert_not_null(f);
    cr_expect_eq(f->fd, fds[0]);
    cr_expect_str_eq(f->copy_path, "/l/a.log.1.gz");
    handover_free_file(f);
    cr_expect_null(handover_take_file(&to, &one, 0));
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
