/* Opens files in directories where others may write.
 *
 * Who may write into a directory of logs could put a symbolic link there to what only ship may
 * read (/etc/shadow, ship's own configuration), and have it sent. So a link counts only if it is
 * root's, ours, or belongs to the owner of what it leads to. Links of directories count alike.
 * Hard links: the kernel keeps those to other users' files away (fs.protected_hardlinks).
 * Thread: any. */
#ifndef SHIP_BASE_OPEN_TRUSTED_H
#define SHIP_BASE_OPEN_TRUSTED_H

#include <sys/types.h>

/* Whose link leads to whose file. */
struct link_refusal {
    uid_t link_owner;
    uid_t file_owner;
};

/* As open(2), for reading. -1 and errno; a link that is not followed: EPERM, and *refusal. */
int open_trusted(const char *path, int flags, struct link_refusal *refusal);

#endif
