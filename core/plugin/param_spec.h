/* param_spec.h: one typed parameter, whoever describes it: the parent reads JSON, the worker the
 * plugin's own table. Both check values with the same code and the same words. */
#ifndef PLUGIN_PARAM_SPEC_H
#define PLUGIN_PARAM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "json.h"

/* The numbers are those of LETHE_PARAM_*. */
enum param_type { PARAM_BOOL = 1, PARAM_INT, PARAM_REAL, PARAM_CHOICE, PARAM_STRING };

struct param_spec {
    const char *name;
    enum param_type type;
    int64_t min_i, max_i;       /* PARAM_INT, inclusive */
    double min_r, max_r;        /* PARAM_REAL, inclusive; +-HUGE_VAL where open */
    const char *const *choices; /* PARAM_CHOICE, NULL-ended */
};

struct param_value { /* BOOL, INT, CHOICE (index): i; REAL: r; STRING: s (borrowed) */
    int64_t i;
    double r;
    const char *s;
};

const char *param_type_name(enum param_type type); /* "bool" "int" "real" "choice" "string" */
/* 0 when the word is no type. */
enum param_type param_type_from_name(const char *name);
/* Reads text by the type and checks bounds. The error is the second half of a sentence: "expected
 * a whole number from 1 to 100, found "many"". A string value is `text` itself. */
int param_parse(const struct param_spec *spec, const char *text, struct param_value *ret,
                struct error *err);
/* The error param_parse gives for something that is no scalar, or a quoted number. */
int param_refuse(const struct param_spec *spec, const char *found, struct error *err);
/* A resolved value (desc_params), bounds checked. */
int param_from_json(const struct param_spec *spec, const json_t *value, struct param_value *ret,
                    struct error *err);
/* Choices as their text. New reference, NULL when out of memory. */
json_t *param_to_json(const struct param_spec *spec, const struct param_value *value);

#endif
