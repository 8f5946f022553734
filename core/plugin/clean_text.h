/* clean_text.h: texts of plugins made fit for logs, JSON and tables. */
#ifndef PLUGIN_CLEAN_TEXT_H
#define PLUGIN_CLEAN_TEXT_H

#include <stddef.h>

/* Copies n bytes as one line of valid UTF-8: control characters become spaces, malformed bytes '?'.
 * Cuts between characters so that out (cap bytes, at least 1) ends with a NUL. Returns the length.
 */
size_t clean_text(const char *in, size_t n, char *out, size_t cap);
/* The last line of n bytes that is not blank, cleaned; "" when there is none. */
size_t clean_last_line(const char *in, size_t n, char *out, size_t cap);

#endif
