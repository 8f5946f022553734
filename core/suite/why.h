/* why.h: why a task would run: which of its inputs no finished task shares. */
#ifndef SUITE_WHY_H
#define SUITE_WHY_H

#include "plan.h"
#include "store.h"
#include "strbuf.h"

struct why; /* identities of everything in a store */
int why_open(const struct store *s, struct why **ret, struct error *err);
void why_free(struct why *w); /* accepts NULL */

/* Appends an explanation, a line an input: "train.lr in recipe: 0.05, the nearest finished task has
 * 0.1". A task that is waiting only for inputs that must run themselves says so. */
int why_explain(const struct why *w, const struct plan *p, unsigned task, struct strbuf *out,
                struct error *err);

#endif
