#include "shipper/verbs/dead/place.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/path.h"
#include "shipper/verbs/state.h"

static const char default_config[] = "/etc/ship/ship.yaml";

static bool is_directory(const char *path)
{
    struct stat st;

    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *letters_of(const struct config *c, bool is_replay)
{
    char *state = state_directory(c ? c->global.state : NULL, is_replay);
    char *dead = state ? state_dead_letters(c ? c->global.dead_letters : NULL, state) : NULL;

    free(state);
    return dead;
}

int place_find(struct place *p, const char *directory, const char *config_path, bool wants_config,
               struct err *e)
{
    char *here = letters_of(NULL, true);
    bool is_here = !directory && !config_path && is_directory(here);
    const char *path = config_path;

    wants_config |= !directory && !is_here;
    if (!path && wants_config && access(default_config, R_OK) == 0)
        path = default_config;
    if (path && !(p->config = config_load(path, e))) {
        free(here);
        return -1;
    }
    if (directory)
        p->directory = strdup(directory);
    else if (is_here)
        p->directory = strdup(here);
    else
        p->directory = letters_of(p->config, false);
    free(here);
    if (!p->directory)
        return err_set(e, ERR_NOMEM, "out of memory");
    return directory ? 0 : path_check_place(p->directory, e);
}

void place_fini(struct place *p)
{
    free(p->directory);
    config_free(p->config);
}
