#include "shipper/verbs/check/places.h"

#include <sys/stat.h>

bool place_is_public(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH));
}
