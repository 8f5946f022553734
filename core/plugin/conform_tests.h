/* conform_tests.h: the function behind each line of conform_map.h. */
#ifndef PLUGIN_CONFORM_TESTS_H
#define PLUGIN_CONFORM_TESTS_H

#include "conform_internal.h"
#include "conform_map.h"

#define CONFORM_DECLARE(id, name, kinds, doc)                                                      \
    int conform_test_##id(struct conform *t, struct error *err);
CONFORM_MAP(CONFORM_DECLARE)
#undef CONFORM_DECLARE

#endif
