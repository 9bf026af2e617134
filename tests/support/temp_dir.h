/* A folder of the test's own under /tmp, and all below it gone afterwards. */
#ifndef SHIP_TESTS_SUPPORT_TEMP_DIR_H
#define SHIP_TESTS_SUPPORT_TEMP_DIR_H

enum { TEMP_DIR_MAX = 64 };

/* Makes it, and writes its path. */
void temp_dir_make(char path[TEMP_DIR_MAX]);
/* Removes it with all that is in it. */
void temp_dir_remove(const char *path);

#endif
