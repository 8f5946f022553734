/* suite_internal.h: what the suite_*.c files share. */
#ifndef SUITE_SUITE_INTERNAL_H
#define SUITE_SUITE_INTERNAL_H

#include "suite_file.h"

/* formats, gap terms and baselines; `unlearn` and `attacks` have been read. */
int suite_parse_report(struct suite *s, struct error *err);

#endif
