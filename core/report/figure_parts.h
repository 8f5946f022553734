/* figure_parts.h: what several figures need: styles of methods, values of their runs. */
#ifndef REPORT_FIGURE_PARTS_H
#define REPORT_FIGURE_PARTS_H

#include "board_work.h"

/* 0 retrain, -1 original, else 1-based place among the suite's methods: a method looks alike in
 * all figures, whatever its rank. */
int figure_style(const struct results *r, const char *method);
/* Added to a style from 1 on: the same colours, but never those that a suite gives to methods. A
 * multiple of all numbers of colours, dashes and markers. */
enum { FIGURE_NO_METHOD = 2400 };

struct figure_spread { /* of some runs' values; NaN where undefined */
    size_t n;
    double mean, sd;
    double low, high; /* 95 % interval, else mean -+ sd, else NaN */
};
/* Which runs: those of a scenario and method that succeeded; request -1: those on
 * the board (of consecutive requests the last). */
struct figure_runs {
    const char *scenario, *method;
    int64_t request;
};
/* Of the value in that column, or of the gap (percentage points) where column is -1. */
int figure_spread(const struct board_work *w, const struct figure_runs *runs, int column,
                  struct figure_spread *ret, struct error *err);
/* Largest request of the scenario's rows; -1 when it is not consecutive. */
int64_t figure_last_request(const struct results *r, const char *scenario);

#endif
