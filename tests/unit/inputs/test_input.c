#include <criterion/criterion.h>

#include "outputs/output.h"
#include "shipper/inputs/input.h"

/* A chunk asks for its own bytes, and for as much again for each output that it is encoded for. */
Test(input, asks_for_room_for_every_output)
{
    struct lane_options options[3] = {
        {.ops = &output_stdout}, {.ops = &output_stdout}, {.ops = &output_stdout}};

    for (size_t n = 1; n <= 3; n++) {
        struct lanes *lanes = lanes_new(options, n, NULL, NULL, NULL, NULL, NULL, NULL);
        struct input_world world = {.lanes = lanes};

        cr_assert_not_null(lanes);
        cr_expect_eq(input_reserve_bytes(1000, &world), 1000 * (1 + (int64_t)n));
        lanes_free(lanes);
    }
}
