/* data_check.c: counts, means, first labels and content hashes. */
#include "data_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double pixel(const struct dataset *ds, size_t i)
{
    return ds->pixels ? ds->pixels[i] / 255.0 : (double)ds->reals[i];
}

static void moments(const struct dataset *ds, struct data_stats *s)
{
    size_t plane = (size_t)ds->height * ds->width, image = plane * ds->channels;
    for (uint32_t c = 0; c < s->n_channels; c++) {
        double sum = 0, squares = 0, n = (double)ds->n_train * (double)plane;
        for (size_t i = 0; i < ds->n_train; i++)
            for (size_t p = 0; p < plane; p++) {
                double v = pixel(ds, i * image + c * plane + p);
                sum += v;
                squares += v * v;
            }
        s->mean[c] = sum / n;
        s->sd[c] = sqrt(fmax(0, squares / n - s->mean[c] * s->mean[c]));
    }
}

static int hash_content(const struct dataset *ds, struct data_stats *s, struct error *err)
{
    size_t n = (size_t)ds->n_train + ds->n_test;
    size_t values = n * ds->channels * ds->height * ds->width;
    struct hash *h = hash_new();
    if (!h)
        return error_nomem(err);
    if (ds->pixels)
        hash_add(h, ds->pixels, values);
    else
        hash_add(h, ds->reals, values * sizeof *ds->reals);
    hash_add(h, ds->labels, n * sizeof *ds->labels);
    hash_final(h, s->sha256);
    return 0;
}

int data_stats_make(const struct dataset *ds, struct data_stats *ret, struct error *err)
{
    struct data_stats s = {0};
    s.n_channels = ds->channels < STATS_CHANNELS ? ds->channels : STATS_CHANNELS;
    s.train = calloc(ds->n_classes, sizeof *s.train);
    s.test = calloc(ds->n_classes, sizeof *s.test);
    int rc = s.train && s.test ? hash_content(ds, &s, err) : error_nomem(err);
    if (rc < 0) {
        data_stats_release(&s);
        return rc;
    }
    for (uint32_t i = 0; i < ds->n_train + ds->n_test; i++)
        (i < ds->n_train ? s.train : s.test)[ds->labels[i]]++;
    s.n_first = ds->n_train < STATS_FIRST ? ds->n_train : STATS_FIRST;
    memcpy(s.first, ds->labels, s.n_first * sizeof *s.first);
    moments(ds, &s);
    *ret = s;
    return 0;
}

void data_stats_release(struct data_stats *s)
{
    free(s->train);
    free(s->test);
    s->train = s->test = NULL;
}

/* What the whole sets are. Equal classes: `each`; MNIST's differ and are spelled out. */
static const struct known {
    const char *name;
    uint32_t n_channels;
    double mean[3];
    uint32_t train_each, test_each;
    uint32_t train[10], test[10];
    int32_t first[STATS_FIRST];
    const char *sha256; /* NULL: not known */
} known[] = {
    {"fashion-mnist",
     1,
     {.28604},
     6000,
     1000,
     {0},
     {0},
     {9, 0, 0, 3, 0, 2, 7, 2, 5, 5},
     "06a254446df5df7b010e3758b59611ac2654722bf0942c5b7759926f5e809d35"},
    {"mnist",
     1,
     {.13066},
     0,
     0,
     {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
     {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
     {5, 0, 4, 1, 9, 2, 1, 3, 1, 4},
     "3c612e115f926da3b5e848dccf8aa943a1759ff6bbc19e470b04b582225c034c"},
    {"cifar10",
     3,
     {.49140, .48216, .44653},
     5000,
     1000,
     {0},
     {0},
     {6, 9, 9, 4, 1, 1, 2, 7, 8, 3},
     "d0d63b0f7930af13051785e06842cfdb77489aedfa4a6997e6027ce5ceae09d2"},
    {"cifar100",
     3,
     {.50707, .48655, .44092},
     500,
     100,
     {0},
     {0},
     {19, 29, 0, 11, 1, 86, 90, 28, 23, 31},
     NULL},
};

static int differ(struct strbuf *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int differ(struct strbuf *out, const char *format, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    strbuf_adds(out, line);
    strbuf_addc(out, '\n');
    return 1;
}

static int check_classes(const struct known *k, const struct dataset *ds,
                         const struct data_stats *s, struct strbuf *out)
{
    int n = 0;
    for (uint32_t c = 0; c < ds->n_classes; c++) {
        uint32_t train = k->train_each ? k->train_each : k->train[c];
        uint32_t test = k->test_each ? k->test_each : k->test[c];
        if (s->train[c] != train || s->test[c] != test)
            n += differ(out,
                        "class %" PRIu32 ": %" PRIu32 " training and %" PRIu32
                        " test images, expected %" PRIu32 " and %" PRIu32,
                        c, s->train[c], s->test[c], train, test);
    }
    return n;
}

int data_check_known(const char *name, const struct dataset *ds, const struct data_stats *s,
                     struct strbuf *out)
{
    const struct known *k = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && !k; i++)
        k = strcmp(known[i].name, name) == 0 ? &known[i] : NULL;
    if (!k)
        return -1;
    int n = check_classes(k, ds, s, out);
    for (uint32_t c = 0; c < k->n_channels; c++)
        if (fabs(s->mean[c] - k->mean[c]) > 2e-5)
            n += differ(out, "channel %" PRIu32 ": mean %.5f, expected %.5f", c, s->mean[c],
                        k->mean[c]);
    for (uint32_t i = 0; i < s->n_first; i++)
        if (s->first[i] != k->first[i])
            n += differ(out, "label of training image %" PRIu32 ": %" PRId32 ", expected %" PRId32,
                        i, s->first[i], k->first[i]);
    if (k->sha256 && strcmp(k->sha256, s->sha256) != 0)
        n += differ(out, "SHA-256 of the content: %s, expected %s", s->sha256, k->sha256);
    return n;
}
