#include "shipper/verbs/own_files.h"

#include <stdlib.h>
#include <string.h>

#include "outputs/output.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/state.h"

/* Takes the path; nothing of NULL and of "". */
static void add(struct option_list *list, char *path)
{
    if (path && *path)
        list->items[list->n_items++] = path;
    else
        free(path);
}

void own_files_init(struct option_list *list, const struct agent_plan *plan)
{
    char *state = state_directory(plan->global->state, plan->is_replay);

    *list = (struct option_list){calloc(2 * plan->n_outputs + 2, sizeof(char *)), 0};
    if (!list->items || !state) {
        free(state);
        return;
    }
    add(list, state_dead_letters(plan->global->dead_letters, state));
    add(list, state);
    for (size_t i = 0; i < plan->n_outputs; i++) {
        const struct output_config *o = &plan->outputs[i];
        struct buffer path = {0};

        if (o->ops->own_file)
            o->ops->own_file(o->options, &path);
        buffer_add_char(&path, '\0');
        add(list, path.failed ? NULL : strdup(path.ptr));
        add(list, o->common.queue_path ? strdup(o->common.queue_path) : NULL);
        buffer_free(&path);
    }
}

void own_files_fini(struct option_list *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        free((char *)list->items[i]);
    free(list->items);
}
