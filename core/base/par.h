/* par.h: a thread pool whose results never depend on the number of threads:
 * callers split work into a fixed number of items and own disjoint outputs. */
#ifndef BASE_PAR_H
#define BASE_PAR_H

#include <stddef.h>

struct par;

/* The calling thread is one of the n_threads; 1 starts none. Every thread
 * flushes denormals to zero (FTZ, DAZ) from the first items it runs, and stays so. NULL on
 * failure. */
struct par *par_new(unsigned n_threads);
void par_free(struct par *p);              /* accepts NULL */
unsigned par_threads(const struct par *p); /* NULL counts as 1 */
/* fn(arg, item, worker) for every item in 0..n_items-1; worker < par_threads(p)
 * names the thread, for scratch memory. Returns when all are done. p may be NULL.
 * A call from inside an item runs there and then, with that item's worker number; so does a call
 * while another thread uses p. */
void par_run(struct par *p, size_t n_items, void (*fn)(void *arg, size_t item, unsigned worker),
             void *arg);

#endif
