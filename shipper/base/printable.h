/* Text from files and servers, as it may be shown on a terminal.
 *
 * Thread: any. */
#ifndef SHIP_BASE_PRINTABLE_H
#define SHIP_BASE_PRINTABLE_H

/* Puts '?' where a byte would move the cursor, colour, or end the line: the controls of ASCII and
 * (in UTF-8) U+0080 to U+009F. In place; returns `text`. */
char *make_printable(char *text);

#endif
