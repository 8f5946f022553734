/* data_check.h: what a data set looks like, and whether a known one is what everybody uses. */
#ifndef DATA_DATA_CHECK_H
#define DATA_DATA_CHECK_H

#include "dataset.h"
#include "hash.h"
#include "strbuf.h"

enum { STATS_CHANNELS = 16, STATS_FIRST = 10 };

struct data_stats {
    uint32_t n_channels;                             /* at most STATS_CHANNELS are described */
    double mean[STATS_CHANNELS], sd[STATS_CHANNELS]; /* of the training pixels in [0, 1] */
    uint32_t *train, *test;                          /* (n_classes) images a class; malloc'd */
    int32_t first[STATS_FIRST];                      /* labels of the first training images */
    uint32_t n_first;
    char sha256[HASH_HEX_SIZE]; /* of all pixels and labels, training first, labels as int32 */
};

int data_stats_make(const struct dataset *ds, struct data_stats *ret, struct error *err);
void data_stats_release(struct data_stats *s);

/* Compares a whole data set of that name with what is published. Returns how many findings differ
 * (each a line in `out`), or -1 when nothing is known about the name. */
int data_check_known(const char *name, const struct dataset *ds, const struct data_stats *s,
                     struct strbuf *out);

#endif
