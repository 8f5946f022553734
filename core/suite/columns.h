/* columns.h: which columns a bound suite's runs.csv has, and which attack or
 * metric fills each. */
#ifndef SUITE_COLUMNS_H
#define SUITE_COLUMNS_H

#include "results.h"
#include "suite_file.h"

/* Values that the host computes from any membership attack's scores (interfaces of
 * docs/OUTPUTS.md): suffix and meaning. */
struct attack_value {
    const char *suffix, *doc;
};
extern const struct attack_value attack_values[]; /* ends with suffix NULL */

struct column_source {
    bool is_attack;
    unsigned entry; /* index in suite->attack or suite->metric */
    char *key;      /* name inside the task's values.json */
};

struct columns {
    size_t n;
    struct result_column *column;
    struct column_source *source;
};

/* Is the entry of `attacks:` one whose column names, curves and notes are those of a metric? */
bool columns_is_audit(const struct suite_entry *e);
/* Two columns of one name are an error. */
int columns_make(const struct suite *s, struct columns *ret, struct error *err);
void columns_release(struct columns *c);
/* A label as the first part of a column name: "loss-threshold" -> "loss_threshold"; malloc'd. */
char *columns_prefix(const char *label);

#endif
