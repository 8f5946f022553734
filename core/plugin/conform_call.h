/* conform_call.h: calls of those kinds that look at outputs of models. */
#ifndef PLUGIN_CONFORM_CALL_H
#define PLUGIN_CONFORM_CALL_H

#include "conform_internal.h"

int conform_call_member(struct conform *t, const struct conform_case *c, const struct hosting *h,
                        struct conform_answer *a, struct error *err);
int conform_call_metric(struct conform *t, const struct conform_case *c, const struct hosting *h,
                        struct conform_answer *a, struct error *err);

#endif
