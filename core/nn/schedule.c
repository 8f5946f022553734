/* schedule.c: the learning rate of an epoch. */
#include <math.h>

#include "train.h"

static double decayed(const struct schedule *s, double lr, uint32_t drops)
{
    return lr * pow(s->gamma, (double)drops);
}

static double rate_constant(const struct schedule *s, double lr, uint32_t epoch, uint32_t epochs)
{
    return lr;
}

static double rate_step(const struct schedule *s, double lr, uint32_t epoch, uint32_t epochs)
{
    return decayed(s, lr, epoch / s->step);
}

static double rate_multistep(const struct schedule *s, double lr, uint32_t epoch, uint32_t epochs)
{
    uint32_t drops = 0;
    for (uint32_t i = 0; i < s->n_milestones; i++)
        drops += epoch >= s->milestones[i];
    return decayed(s, lr, drops);
}

/* Loshchilov & Hutter 2017, equation 5, without restarts and with a minimum of 0. */
static double rate_cosine(const struct schedule *s, double lr, uint32_t epoch, uint32_t epochs)
{
    const double pi = 3.14159265358979323846;
    return lr * (1 + cos(pi * epoch / epochs)) / 2;
}

static double (*const rate_of[])(const struct schedule *, double, uint32_t, uint32_t) = {
    [SCHEDULE_CONSTANT] = rate_constant,
    [SCHEDULE_STEP] = rate_step,
    [SCHEDULE_MULTISTEP] = rate_multistep,
    [SCHEDULE_COSINE] = rate_cosine,
};

double schedule_rate(const struct schedule *s, double lr, uint32_t epoch, uint32_t epochs)
{
    double rate = rate_of[s->kind](s, lr, epoch, epochs);
    return epoch < s->warmup ? rate * (epoch + 1) / s->warmup : rate;
}
