/* SPDX-License-Identifier: MIT
 * rmia.c: the relative membership inference attack. A candidate's ratio is its
 * signal under the model under attack, divided by its prior, a mean of signals
 * under shadow models; its score is the share of a population z with
 * ratio(x) / ratio(z) > gamma.
 * Variant amun: prior over all shadow models, whatever they were trained on.
 * Variant online: prior over IN and OUT models, trimmed mean. Variant offline:
 * trimmed mean over OUT models only, prior ((1 + a) mean + 1 - a) / 2. Variant
 * privacy-meter: the same with a plain mean of the largest half of the OUT
 * signals. The population is all other candidates, or the known non-members
 * (RMIA's own code and Privacy Meter's). tune_a sets the first shadow model
 * aside, attacks it in the model's place with one reference, and takes the first
 * a of 0, 0.1, ..., 1 with the largest AUC. With several views of a sample the
 * comparisons are made view by view and the majority decides, ties against.
 * Paper: Zarifzadeh, Liu, Shokri, ICML 2024. Code read: Ali-E/AMUN 9e341a9,
 * rmia_evaluate.py and signals.py; privacytrustlab/ml_privacy_meter,
 * research/2024_rmia/main.py and attacks.py. Deviations: signals in double
 * precision (repositories: single) and softmax signals with the maximum
 * subtracted; a signal or ratio of 0/0 scores 0 and is counted in the log; AMUN's
 * flag `exclusive`, whose index is wrong in the repository, is not offered; the
 * correction for samples that are part of the population, which adds a hit to
 * each non-member in the repository, is off unless self_pair says so; scores
 * have the sign that larger means member. Taylor signals may be negative or
 * above one and are not clamped. */
#include <stdlib.h>

#include <lethe/lethe.h>
#include <lethe/scores.h>

enum {
    P_VARIANT = 0,
    P_SIGNAL,
    P_TEMPERATURE,
    P_GAMMA,
    P_MARGIN,
    P_ORDER,
    P_POPULATION,
    P_OFFLINE_A,
    P_TUNE_A,
    P_TRIM,
    P_SELF_PAIR
};
enum { VARIANT_AMUN, VARIANT_ONLINE, VARIANT_OFFLINE, VARIANT_METER };
enum { POPULATION_CANDIDATES, POPULATION_NONMEMBERS };

static const char *const variants[] = {"amun", "online", "offline", "privacy-meter", NULL};
static const char *const signals[] = LETHE_SIGNAL_NAMES;
static const char *const populations[] = {"candidates", "nonmembers", NULL};
static const lethe_param params[] = {
    LETHE_CHOICE("variant", 0, variants, "form of the attack; amun: AMUN's online form"),
    LETHE_CHOICE("signal", LETHE_SIGNAL_TAYLOR_MARGIN, signals, "likelihood signal of a sample"),
    LETHE_REAL("temperature", 2, 1e-3, 1e3, "", "divides the logits; taylor ignores it"),
    LETHE_REAL("gamma", 2, 1e-6, 1e6, "", "threshold of the ratio, strict"),
    LETHE_REAL("margin", 0.6, -1e3, 1e3, "", "taken off the true class's logit"),
    LETHE_INT("order", 4, 1, 32, "terms", "terms of the Taylor series of exp"),
    LETHE_CHOICE("population", 0, populations, "z: the other candidates, or known non-members"),
    LETHE_REAL("offline_a", 0.3, 0, 1, "", "a of the offline priors (0.3: RMIA's CIFAR-10 value)"),
    LETHE_BOOL("tune_a", 0, "choose a on the first shadow model, which is set aside"),
    LETHE_REAL("trim", 0.2, 0, 0.49, "", "share of signals cut off at each end of a trimmed mean"),
    LETHE_BOOL("self_pair", 0, "the published correction of samples in the population"),
};

/* ---- counting ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ratios in order, zeros and NaN apart. */
struct ranking {
    double *sorted; /* (n_negative + n_positive) ascending */
    uint64_t n_negative, n_positive;
    uint64_t n_plus_zero, n_minus_zero;
};

/* sorted has room for n. */
static void ranking_init(struct ranking *k, const double *ratio, uint64_t n, double *sorted)
{
    memset(k, 0, sizeof *k);
    k->sorted = sorted;
    for (uint64_t i = 0; i < n; i++) {
        k->n_negative += ratio[i] < 0;
        k->n_positive += ratio[i] > 0;
        k->n_plus_zero += ratio[i] == 0 && !signbit(ratio[i]);
        k->n_minus_zero += ratio[i] == 0 && signbit(ratio[i]);
        if (ratio[i] < 0 || ratio[i] > 0)
            sorted[k->n_negative + k->n_positive - 1] = ratio[i];
    }
    qsort(sorted, (size_t)(k->n_negative + k->n_positive), sizeof *sorted, by_value);
}

/* How many z have r / z > gamma, r itself included where it does. Division rounds
 * monotonically, so the literal quotient is a valid test for bisection and no
 * boundary needs another look. */
static uint64_t ranking_count(const struct ranking *k, double r, double gamma)
{
    const double *v = k->sorted;
    uint64_t lo, hi;
    if (r > 0) { /* the smallest positive z qualify */
        lo = k->n_negative, hi = k->n_negative + k->n_positive;
        while (lo < hi) {
            uint64_t mid = lo + (hi - lo) / 2;
            if (r / v[mid] > gamma)
                lo = mid + 1;
            else
                hi = mid;
        }
        return lo - k->n_negative + k->n_plus_zero; /* r / +0 is infinite */
    }
    if (r < 0) { /* the negative z nearest to zero qualify */
        lo = 0, hi = k->n_negative;
        while (lo < hi) {
            uint64_t mid = lo + (hi - lo) / 2;
            if (r / v[mid] > gamma)
                hi = mid;
            else
                lo = mid + 1;
        }
        return k->n_negative - lo + k->n_minus_zero; /* r / -0 is infinite */
    }
    return 0; /* 0 and NaN exceed nothing */
}

/* score_i = #{j != i : ratio_i / ratio_j > gamma} / (n - 1); n >= 2, work (n). */
static void rmia_scores(const double *ratio, uint64_t n, double gamma, double *work, double *score)
{
    struct ranking k;
    ranking_init(&k, ratio, n, work);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hits = ranking_count(&k, ratio[i], gamma);
        hits -= ratio[i] / ratio[i] > gamma; /* x is not its own z */
        score[i] = (double)hits / (double)(n - 1);
    }
}

/* ---- priors ---- */

/* What is attacked, with what, and how. */
struct attack_spec {
    lethe_signal signal;
    uint32_t variant, first; /* first: shadow models before it are set aside */
    uint32_t n_models;       /* shadow models from `first` on */
    double gamma, a, trim;
};

/* Samples of one set with the shadow models on them. */
struct set {
    const lethe_outputs *o;
    const lethe_references *r;
};

/* Mean without the floor(share n) smallest and largest; sorts v (n). NaN when n is 0. */
static double trimmed_mean(double *v, uint32_t n, double share)
{
    uint32_t cut = (uint32_t)(share * n);
    double sum = 0;
    qsort(v, n, sizeof *v, by_value);
    for (uint32_t i = cut; i + cut < n; i++)
        sum += v[i];
    return sum / (n - 2.0 * cut);
}

/* Mean of the `most` largest of v (n), which is sorted. */
static double top_mean(double *v, uint32_t n, uint32_t most)
{
    double sum = 0;
    most = most < n ? most : n;
    qsort(v, n, sizeof *v, by_value);
    for (uint32_t i = 0; i < most; i++)
        sum += v[n - 1 - i];
    return sum / most;
}

/* Signals of sample i, view v, under shadow models that were trained on it (in 1) or not (in 0),
 * the first `most` in order; returns how many. */
static uint32_t side_signals(const struct attack_spec *s, const struct set *set, uint64_t i,
                             uint32_t v, uint8_t in, uint32_t most, double *out)
{
    uint64_t row = (i * set->o->n_views + v) * set->o->n_classes;
    uint32_t n = 0;
    for (uint32_t m = s->first; m < s->first + s->n_models && n < most; m++)
        if (set->r->inclusion[m][i] == in)
            out[n++] = lethe_signal_value(&s->signal, set->r->logits[m] + row, set->o->n_classes,
                                          set->o->y[i]);
    return n;
}

/* attacks.py: of the first 2 R models the R largest OUT signals; those of models that were trained
 * on the sample are multiplied by 0 and stay. */
static double meter_mean(const struct attack_spec *s, const struct set *set, uint64_t i, uint32_t v,
                         uint32_t most, double *work)
{
    struct attack_spec even = *s;
    even.n_models = 2 * most < s->n_models ? 2 * most : s->n_models;
    uint32_t n = side_signals(&even, set, i, v, 0, even.n_models, work);
    while (n < even.n_models)
        work[n++] = 0;
    return top_mean(work, n, most);
}

/* The prior of sample i, view v; work (n_models). NaN where no shadow model serves. */
static double prior_of(const struct attack_spec *s, const struct set *set, uint64_t i, uint32_t v,
                       double *work)
{
    uint64_t row = (i * set->o->n_views + v) * set->o->n_classes;
    uint32_t half = s->n_models / 2 > 0 ? s->n_models / 2 : 1, n = 0;
    double sum = 0, mean;
    switch (s->variant) {
    case VARIANT_AMUN:
        for (uint32_t m = s->first; m < s->first + s->n_models; m++)
            sum += lethe_signal_value(&s->signal, set->r->logits[m] + row, set->o->n_classes,
                                      set->o->y[i]);
        return sum / s->n_models;
    case VARIANT_ONLINE: /* main.py caps each side at half the models */
        n = side_signals(s, set, i, v, 1, half, work);
        n += side_signals(s, set, i, v, 0, half, work + n);
        return trimmed_mean(work, n, s->trim);
    case VARIANT_OFFLINE:
        n = side_signals(s, set, i, v, 0, half, work);
        mean = trimmed_mean(work, n, s->trim);
        break;
    default:
        mean = meter_mean(s, set, i, v, half, work);
    }
    return ((1 + s->a) * mean + (1 - s->a)) / 2;
}

/* ratio_i = signal under the model under attack / prior. */
static double ratio_of(const struct attack_spec *s, const struct set *set, uint64_t i, uint32_t v,
                       double *work)
{
    return lethe_signal_value(&s->signal, lethe_row(set->o, i, v), set->o->n_classes,
                              set->o->y[i]) /
           prior_of(s, set, i, v, work);
}

#define GRAIN 4096

/* Ratios of a whole set, on the host's threads. */
struct ratio_job {
    const struct attack_spec *spec;
    const struct set *set;
    double *work;  /* (pieces, n_models) */
    double *ratio; /* (n, n_views) */
};

static void ratio_range(void *arg, uint64_t begin, uint64_t end)
{
    const struct ratio_job *j = arg;
    double *work = j->work + begin / GRAIN * j->spec->n_models;
    uint32_t views = j->set->o->n_views;
    for (uint64_t i = begin; i < end; i++)
        for (uint32_t v = 0; v < views; v++)
            j->ratio[i * views + v] = ratio_of(j->spec, j->set, i, v, work);
}

static lethe_status ratios(lethe_ctx *ctx, const struct attack_spec *spec, const struct set *set,
                           double **ret)
{
    struct ratio_job j = {spec, set, NULL, NULL};
    j.work = lethe_alloc(ctx, (set->o->n / GRAIN + 1) * spec->n_models, sizeof *j.work);
    j.ratio = lethe_alloc(ctx, set->o->n * set->o->n_views + 1, sizeof *j.ratio);
    if (!j.work || !j.ratio)
        return LETHE_E_NOMEM;
    LETHE_TRY(ctx->host->par->range(ctx, set->o->n, GRAIN, ratio_range, &j));
    *ret = j.ratio;
    return LETHE_OK;
}

/* ---- scores ---- */

/* Share of `z` (n_z, views) that x (views) exceeds by gamma, view by view with a majority (torch's
 * mode: the smaller value wins a tie); entry `self` of z is left out. */
static double vote_share(const double *x, const double *z, uint64_t n_z, uint32_t views,
                         double gamma, uint64_t self)
{
    uint64_t hits = 0;
    for (uint64_t j = 0; j < n_z; j++) {
        uint32_t votes = 0;
        for (uint32_t v = 0; j != self && v < views; v++)
            votes += x[v] / z[j * views + v] > gamma;
        hits += 2 * votes > views;
    }
    return (double)hits / (double)(self < n_z ? n_z - 1 : n_z);
}

struct vote_job {
    const double *x, *z;
    uint64_t n_z;
    uint32_t views;
    double gamma;
    int among; /* x are z themselves */
    double *score;
};

static void vote_range(void *arg, uint64_t begin, uint64_t end)
{
    const struct vote_job *j = arg;
    for (uint64_t i = begin; i < end; i++)
        j->score[i] = vote_share(j->x + i * j->views, j->z, j->n_z, j->views, j->gamma,
                                 j->among ? i : UINT64_MAX);
}

/* Share of z (n_z) for each x (n); work (n_z). */
static void population_scores(const double *x, uint64_t n, const double *z, uint64_t n_z,
                              double gamma, double *work, double *score)
{
    struct ranking k;
    ranking_init(&k, z, n_z, work);
    for (uint64_t i = 0; i < n; i++)
        score[i] = (double)ranking_count(&k, x[i], gamma) / (double)n_z;
}

/* ---- the published correction for candidates that are part of the population ---- */

/* Row of the population, in the order of its ratio. */
struct member_of {
    double ratio;
    uint64_t row;
};

static int by_ratio(const void *a, const void *b)
{
    const struct member_of *x = a, *y = b;
    return (x->ratio > y->ratio) - (x->ratio < y->ratio);
}

static int same_row(const lethe_outputs *a, uint64_t i, const lethe_outputs *b, uint64_t j)
{
    return a->y[i] == b->y[j] && memcmp(lethe_row(a, i, 0), lethe_row(b, j, 0),
                                        sizeof(float) * a->n_classes * a->n_views) == 0;
}

/* Is candidate i, with that ratio, one of the sorted population's rows? */
static int in_population(const struct member_of *sorted, uint64_t n, double ratio,
                         const lethe_outputs *x, uint64_t i, const lethe_outputs *z)
{
    uint64_t lo = 0, hi = n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (sorted[mid].ratio < ratio)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < n && sorted[lo].ratio == ratio; lo++)
        if (same_row(x, i, z, sorted[lo].row))
            return 1;
    return 0;
}

/* The population's rows in the order of their ratios (n_z, views). */
static lethe_status sort_population(lethe_ctx *ctx, const struct set *z, const double *ratio_z,
                                    struct member_of **ret)
{
    struct member_of *sorted = lethe_alloc(ctx, z->o->n, sizeof *sorted);
    if (!sorted)
        return LETHE_E_NOMEM;
    for (uint64_t j = 0; j < z->o->n; j++)
        sorted[j] = (struct member_of){ratio_z[j * z->o->n_views], j};
    qsort(sorted, (size_t)z->o->n, sizeof *sorted, by_ratio);
    *ret = sorted;
    return LETHE_OK;
}

/* main.py: prediction p = -score becomes (p n_z - 1) / (n_z - 1). */
static lethe_status correct_self_pairs(lethe_ctx *ctx, const struct set *x, const double *ratio_x,
                                       const struct set *z, const double *ratio_z, double *score)
{
    double n_z = (double)z->o->n;
    struct member_of *sorted = NULL;
    LETHE_TRY(sort_population(ctx, z, ratio_z, &sorted));
    for (uint64_t i = 0; i < x->o->n && n_z > 1; i++)
        if (in_population(sorted, z->o->n, ratio_x[i * x->o->n_views], x->o, i, z->o))
            score[i] = (score[i] * n_z + 1) / (n_z - 1);
    return LETHE_OK;
}

/* ---- the attack ---- */

static lethe_status score_sets(lethe_ctx *ctx, const struct attack_spec *spec, const struct set *x,
                               const struct set *z, double *score)
{
    double *ratio_x = NULL, *ratio_z = NULL;
    uint64_t n = x->o->n, n_z = z ? z->o->n : n;
    uint32_t views = x->o->n_views;
    LETHE_TRY(ratios(ctx, spec, x, &ratio_x));
    if (z)
        LETHE_TRY(ratios(ctx, spec, z, &ratio_z));
    double *work = lethe_alloc(ctx, n_z, sizeof *work);
    if (!work)
        return LETHE_E_NOMEM;
    uint64_t odd = 0, undefined = 0;
    for (uint64_t i = 0; i < n * views; i++) {
        undefined += isnan(ratio_x[i]) != 0;
        odd += ratio_x[i] <= 0;
    }
    if (undefined || odd)
        lethe_logf(ctx, LETHE_LOG_WARNING,
                   "of %llu ratios %llu are not positive and %llu undefined (they score 0)",
                   (unsigned long long)(n * views), (unsigned long long)odd,
                   (unsigned long long)undefined);
    struct vote_job votes = {ratio_x, z ? ratio_z : ratio_x, n_z, views, spec->gamma, !z, score};
    if (views > 1)
        LETHE_TRY(ctx->host->par->range(ctx, n, 64, vote_range, &votes));
    else if (z)
        population_scores(ratio_x, n, ratio_z, n_z, spec->gamma, work, score);
    else
        rmia_scores(ratio_x, n, spec->gamma, work, score);
    if (z && lethe_bool(ctx, P_SELF_PAIR))
        return correct_self_pairs(ctx, x, ratio_x, z, ratio_z, score);
    return LETHE_OK;
}

/* Mann-Whitney AUC of scores whose truth is `member`; pairs (n) is scratch. NaN without both. */
struct labelled {
    double score;
    uint8_t member;
};

static int by_score(const void *a, const void *b)
{
    const struct labelled *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

static double auc_of(const double *score, const uint8_t *member, uint64_t n, struct labelled *work)
{
    double wins = 0, n_out = 0, n_in = 0;
    for (uint64_t i = 0; i < n; i++)
        work[i] = (struct labelled){score[i], member[i]};
    qsort(work, (size_t)n, sizeof *work, by_score);
    for (uint64_t i = 0; i < n;) {
        double in = 0, out = 0;
        uint64_t j = i;
        for (; j < n && work[j].score == work[i].score; j++) {
            in += work[j].member == 1;
            out += work[j].member != 1;
        }
        wins += in * (n_out + out / 2);
        n_in += in;
        n_out += out;
        i = j;
    }
    return wins / (n_in * n_out);
}

/* The set with shadow model 0 in the place of the model under attack. */
static struct set as_target(const struct set *set, lethe_outputs *o)
{
    *o = *set->o;
    o->logits = set->r->logits[0];
    return (struct set){o, set->r};
}

/* Whom the tuning judges, packed: the candidates that are not of the population. */
struct trial_rows {
    uint64_t *row, n;
    double *score;   /* (n) of these rows */
    uint8_t *member; /* (n) was shadow model 0 trained on them? */
    struct labelled *work;
};

static lethe_status trial_init(lethe_ctx *ctx, const struct attack_spec *trial, const struct set *x,
                               const struct set *z, struct trial_rows *t)
{
    double *ratio_x = NULL, *ratio_z = NULL;
    struct member_of *sorted = NULL;
    t->row = lethe_alloc(ctx, x->o->n, sizeof *t->row);
    t->score = lethe_alloc(ctx, x->o->n, sizeof *t->score);
    t->member = lethe_alloc(ctx, x->o->n, 1);
    t->work = lethe_alloc(ctx, x->o->n, sizeof *t->work);
    if (!t->row || !t->score || !t->member || !t->work)
        return LETHE_E_NOMEM;
    if (z) {
        LETHE_TRY(ratios(ctx, trial, x, &ratio_x));
        LETHE_TRY(ratios(ctx, trial, z, &ratio_z));
        LETHE_TRY(sort_population(ctx, z, ratio_z, &sorted));
    }
    for (uint64_t i = 0; i < x->o->n; i++) {
        if (z && in_population(sorted, z->o->n, ratio_x[i * x->o->n_views], x->o, i, z->o))
            continue;
        t->member[t->n] = x->r->inclusion[0][i] == 1;
        t->row[t->n++] = i;
    }
    return LETHE_OK;
}

static double trial_auc(struct trial_rows *t, const double *score)
{
    for (uint64_t k = 0; k < t->n; k++)
        t->score[k] = score[t->row[k]];
    return auc_of(t->score, t->member, t->n, t->work);
}

/* Privacy Meter's tune_offline_a. Leaves shadow model 0 set aside. */
static lethe_status tune(lethe_ctx *ctx, struct attack_spec *spec, const struct set *x,
                         const struct set *z)
{
    struct attack_spec trial = *spec;
    lethe_outputs o[2];
    struct set target = as_target(x, &o[0]), population = {NULL, NULL};
    struct trial_rows rows = {0};
    double best = -1, *score = lethe_alloc(ctx, x->o->n, sizeof *score);
    if (!score)
        return LETHE_E_NOMEM;
    if (spec->n_models < 2)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "tune_a sets one shadow model aside and needs another one");
    if (z)
        population = as_target(z, &o[1]);
    spec->first = 1;
    spec->n_models--;
    trial.first = 1;
    trial.n_models = spec->n_models < 2 ? spec->n_models : 2; /* one reference: half of two */
    LETHE_TRY(trial_init(ctx, &trial, &target, z ? &population : NULL, &rows));
    for (int step = 0; step <= 10; step++) {
        trial.a = step / 10.0;
        LETHE_TRY(score_sets(ctx, &trial, &target, z ? &population : NULL, score));
        double auc = trial_auc(&rows, score);
        if (auc > best) {
            best = auc;
            spec->a = trial.a;
        }
    }
    lethe_logf(ctx, LETHE_LOG_INFO, "offline_a tuned to %.1f (AUC %.4f on shadow model 1)", spec->a,
               best);
    return LETHE_OK;
}

static lethe_status check_job(lethe_ctx *ctx, const lethe_member_job *job)
{
    const lethe_outputs *o = job->candidates;
    int known = lethe_choice(ctx, P_POPULATION) == POPULATION_NONMEMBERS;
    if (!job->references || job->references->n_models == 0)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "rmia needs shadow models; set references: {shadow: 8} or more");
    if (known && (!job->known_nonmembers || job->known_nonmembers->n == 0 ||
                  !job->known_nonmember_references))
        return lethe_failf(ctx, LETHE_E_DENIED,
                           "population nonmembers needs samples that are known to be no members, "
                           "and the shadow models on them");
    if (!known && o->n < 2)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED, "rmia needs two candidates, there are %llu",
                           (unsigned long long)o->n);
    if (lethe_choice(ctx, P_VARIANT) == VARIANT_AMUN && o->n_views != 1)
        return lethe_failf(ctx, LETHE_E_UNSUPPORTED,
                           "variant amun takes one view of a sample, not %u", (unsigned)o->n_views);
    for (uint64_t i = 0; i < o->n; i++)
        if (o->y[i] < 0 || (uint32_t)o->y[i] >= o->n_classes)
            return lethe_failf(ctx, LETHE_E_INVALID, "label %d of candidate %llu is none of %u",
                               (int)o->y[i], (unsigned long long)i, (unsigned)o->n_classes);
    return LETHE_OK;
}

static lethe_status rmia_score(lethe_ctx *ctx, void *state, const lethe_member_job *job,
                               double *score)
{
    LETHE_TRY(check_job(ctx, job));
    struct attack_spec spec = {
        .signal = {lethe_choice(ctx, P_SIGNAL), (uint32_t)lethe_int(ctx, P_ORDER),
                   lethe_real(ctx, P_TEMPERATURE), lethe_real(ctx, P_MARGIN)},
        .variant = lethe_choice(ctx, P_VARIANT),
        .n_models = job->references->n_models,
        .gamma = lethe_real(ctx, P_GAMMA),
        .a = lethe_real(ctx, P_OFFLINE_A),
        .trim = lethe_real(ctx, P_TRIM)};
    struct set x = {job->candidates, job->references};
    struct set z = {job->known_nonmembers, job->known_nonmember_references};
    int known = lethe_choice(ctx, P_POPULATION) == POPULATION_NONMEMBERS;
    if (lethe_bool(ctx, P_TUNE_A))
        LETHE_TRY(tune(ctx, &spec, &x, known ? &z : NULL));
    return score_sets(ctx, &spec, &x, known ? &z : NULL, score);
}

static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "rmia",
    .name = "RMIA",
    .short_name = "RMIA",
    .version = "1.1.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "relative membership inference against shadow models",
    .doc = "The relative membership inference attack. A candidate's ratio is its signal under the "
           "model under attack, divided by its prior, a mean of signals under shadow models; its "
           "score is the share of a population z with ratio(x) / ratio(z) > gamma. Variant amun: "
           "prior over all shadow models, whatever they were trained on. Variant online: prior "
           "over IN and OUT models, trimmed mean. Variant offline: trimmed mean over OUT models "
           "only, prior ((1 + a) mean + 1 - a) / 2. Variant privacy-meter: the same with a plain "
           "mean of the largest half of the OUT signals. The population is all other candidates, "
           "or the known non-members (RMIA's own code and Privacy Meter's). tune_a sets the first "
           "shadow model aside, attacks it in the model's place with one reference, and takes the "
           "first a of 0, 0.1, ..., 1 with the largest AUC. With several views of a sample the "
           "comparisons are made view by view and the majority decides, ties against.\n"
           "Paper: Zarifzadeh, Liu, Shokri, ICML 2024. Code read: Ali-E/AMUN 9e341a9, "
           "rmia_evaluate.py and signals.py; privacytrustlab/ml_privacy_meter, "
           "research/2024_rmia/main.py and attacks.py. Deviations: signals in double precision "
           "(repositories: single) and softmax signals with the maximum subtracted; a signal or "
           "ratio of 0/0 scores 0 and is counted in the log; AMUN's flag `exclusive`, whose index "
           "is wrong in the repository, is not offered; the correction for samples that are part "
           "of the population, which adds a hit to each non-member in the repository, is off "
           "unless self_pair says so; scores have the sign that larger means member. Taylor "
           "signals may be negative or above one and are not clamped.",
    .citation = "@inproceedings{zarifzadeh2024low, title={Low-Cost High-Power Membership Inference "
                "Attacks}, author={Zarifzadeh, Sajjad and Liu, Philippe and Shokri, Reza}, "
                "booktitle={International Conference on Machine Learning}, year={2024}}",
    .url = "https://arxiv.org/abs/2312.03262",
};
static const lethe_score scores[] = {
    {sizeof(lethe_score), 0, "",
     "share of the population whose ratio this one's exceeds by gamma"}};
static const lethe_membership_attack attack = {
    .struct_size = sizeof(lethe_membership_attack),
    .n_scores = LETHE_COUNT(scores),
    .score_stride = sizeof(lethe_score),
    .wants_fit = 2,
    .scores = scores,
    .score = rmia_score,
};
LETHE_SINGLE(LETHE_KIND_MEMBERSHIP_ATTACK, &info, params, LETHE_COUNT(params),
             LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS, 0, &attack);
