/* Which version of the Elastic Common Schema the fields follow that ship writes.
 *
 * Thread: any. */
#ifndef SHIP_BASE_ECS_H
#define SHIP_BASE_ECS_H

#define ECS_VERSION "9.4.0"

#endif
