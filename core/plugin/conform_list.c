/* The tests by name, for programs that load no plugin. */
#include "conform.h"
#include "conform_map.h"

#define LINE(id, name, kinds, doc) {name, doc, kinds},
const struct conform_test conform_list[] = {CONFORM_MAP(LINE){0}};
#undef LINE

static const char *const outcomes[CONFORM_OUTCOMES] = {"pass", "warn",  "skip",
                                                       "fail", "crash", "timeout"};

const char *conform_outcome_name(enum conform_outcome outcome)
{
    return outcome < CONFORM_OUTCOMES ? outcomes[outcome] : "unknown";
}
