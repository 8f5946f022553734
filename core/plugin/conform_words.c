/* Tests of what a plugin declares, beyond what loading it already demands. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "conform_tests.h"
#include "text.h"

/* ---- words ---- */

/* digits.digits.digits, then - or + and more. */
static bool is_semantic_version(const char *s)
{
    for (int part = 0; part < 3; part++) {
        size_t n = strspn(s, "0123456789");
        if (n == 0 || (part < 2 && s[n] != '.'))
            return false;
        s += n + (part < 2);
    }
    return *s == 0 || *s == '-' || *s == '+';
}

/* An SPDX expression by its alphabet: MIT, GPL-3.0-or-later, (MIT OR Apache-2.0). */
static bool is_license(const char *s)
{
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("-.+() :", *s))
            return false;
    return true;
}

int conform_test_words(struct conform *t, struct error *err)
{
    const lethe_info *i = t->plugin->info;
    if (!is_semantic_version(i->version))
        conform_say(t, CONFORM_FAIL, "version \"%.40s\": expected three numbers, as 1.0.2",
                    i->version);
    if (!is_license(i->license))
        conform_say(t, CONFORM_FAIL, "license \"%.40s\": expected an SPDX expression, as MIT",
                    i->license);
    if (strchr(i->summary, '\n') || strlen(i->summary) > 120)
        conform_say(t, CONFORM_FAIL, "summary: expected one line of at most 120 bytes, found %zu",
                    strlen(i->summary));
    if (*i->citation && *i->citation != '@')
        conform_say(t, CONFORM_FAIL,
                    "citation: expected BibTeX (\"@...\") or \"\", found \"%.30s\"", i->citation);
    if (strlen(i->short_name) > 12)
        conform_say(t, CONFORM_FAIL, "short_name \"%.40s\": figures have room for 12 bytes",
                    i->short_name);
    if (!*i->short_name)
        conform_say(t, CONFORM_WARN, "short_name is empty: figures show the id");
    if (!*i->doc || !*i->author)
        conform_say(t, CONFORM_WARN, "%s is empty", *i->doc ? "author" : "doc");
    return 0;
}

/* ---- parameters ---- */

static void check_search(struct conform *t, uint32_t i)
{
    const lethe_param *p = conform_param(t, i);
    char word[64];
    for (const char *s = p->search; s && *s;) {
        size_t n = strcspn(s, ",");
        struct param_spec spec;
        struct param_value v;
        struct error why = ERROR_INIT;
        snprintf(word, sizeof(word), "%.*s", (int)(n < 60 ? n : 60), s);
        plugin_param_spec(p, &spec);
        if (param_parse(&spec, word, &v, &why) < 0)
            conform_say(t, CONFORM_FAIL, "%s: the search value \"%s\" is refused: %s", p->name,
                        word, why.text);
        s += n + (s[n] == ',');
    }
    if (p->search && !(p->flags & LETHE_PARAM_TUNABLE))
        conform_say(t, CONFORM_FAIL, "%s has search values, but not LETHE_PARAM_TUNABLE", p->name);
    if ((p->flags & LETHE_PARAM_LOG_SCALE) && !p->search && !(p->min.r > 0))
        conform_say(t, CONFORM_FAIL, "%s: a logarithmic scale from %g needs search values", p->name,
                    p->min.r);
}

static void check_choices(struct conform *t, const lethe_param *p)
{
    for (uint32_t a = 0; p->choices && p->choices[a]; a++) {
        if (!*p->choices[a])
            conform_say(t, CONFORM_FAIL, "%s: choice %u is empty", p->name, a);
        for (uint32_t b = 0; b < a; b++)
            if (strcmp(p->choices[a], p->choices[b]) == 0)
                conform_say(t, CONFORM_FAIL, "%s: the choice \"%.40s\" is there twice", p->name,
                            p->choices[a]);
    }
}

int conform_test_params(struct conform *t, struct error *err)
{
    for (uint32_t i = 0; i < t->plugin->n_params; i++) {
        const lethe_param *p = conform_param(t, i);
        if (!*p->doc)
            conform_say(t, CONFORM_FAIL, "%s has no doc", p->name);
        if (p->type == LETHE_PARAM_REAL && (!isfinite(p->min.r) || !isfinite(p->max.r)))
            conform_say(t, CONFORM_FAIL,
                        "%s is bounded by %g and %g; finite bounds keep nonsense out", p->name,
                        p->min.r, p->max.r);
        if (p->type == LETHE_PARAM_INT && (p->min.i == INT64_MIN || p->max.i == INT64_MAX))
            conform_say(t, CONFORM_FAIL, "%s has no bounds; they keep nonsense out", p->name);
        check_search(t, i);
        check_choices(t, p);
    }
    if (t->plugin->n_params == 0)
        conform_say(t, CONFORM_SKIP, "it has no parameters");
    return 0;
}

/* Names that mean the same in every plugin; the bounds beyond which no value has a meaning. */
static const struct {
    const char *name;
    double lo, hi;
} domains[] = {{"epochs", 0, 1e6}, {"batch", 1, 1 << 24},    {"lr", 0, 1e4},
               {"momentum", 0, 1}, {"weight_decay", 0, 1e3}, {"steps", 0, 1e9},
               {"eps", 0, 1e6},    {"temperature", 0, 1e6},  {"clip_norm", 0, 1e9},
               {"bins", 1, 1e7},   {"folds", 1, 1e6},        {"mask_ratio", 0, 1}};

static double number_of(const lethe_param *p, lethe_value v)
{
    return p->type == LETHE_PARAM_REAL ? v.r : (double)v.i;
}

int conform_test_domains(struct conform *t, struct error *err)
{
    unsigned known = 0;
    for (uint32_t i = 0; i < t->plugin->n_params; i++) {
        const lethe_param *p = conform_param(t, i);
        for (size_t k = 0; k < sizeof(domains) / sizeof(domains[0]); k++) {
            if (strcmp(p->name, domains[k].name) != 0 ||
                (p->type != LETHE_PARAM_INT && p->type != LETHE_PARAM_REAL))
                continue;
            known++;
            if (number_of(p, p->min) < domains[k].lo || number_of(p, p->max) > domains[k].hi)
                conform_say(t, CONFORM_FAIL,
                            "%s may be %g to %g; expected bounds within %g to %g, others have no "
                            "meaning",
                            p->name, number_of(p, p->min), number_of(p, p->max), domains[k].lo,
                            domains[k].hi);
        }
    }
    if (known == 0)
        conform_say(t, CONFORM_SKIP, "it has no parameter of a well-known name");
    return 0;
}

/* ---- access ---- */

static const uint64_t rights[] = {
    [LETHE_KIND_UNLEARNER] = LETHE_CAP_FORGET | LETHE_CAP_RETAIN | LETHE_CAP_VALIDATION |
                             LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_LOGITS |
                             LETHE_CAP_RECIPE | LETHE_CAP_ATTACK | LETHE_CAP_ORIGINAL,
    [LETHE_KIND_EXAMPLE_ATTACK] = LETHE_CAP_GRADIENTS | LETHE_CAP_WEIGHTS | LETHE_CAP_LOGITS,
    [LETHE_KIND_MEMBERSHIP_ATTACK] =
        LETHE_CAP_LOGITS | LETHE_CAP_SHADOWS | LETHE_CAP_UNLEARNED_SHADOWS,
    [LETHE_KIND_AUDIT] = ~(LETHE_CAP_SHADOWS | LETHE_CAP_UNLEARNED_SHADOWS | LETHE_CAP_ATTACK),
    [LETHE_KIND_METRIC] = ~(LETHE_CAP_SHADOWS | LETHE_CAP_UNLEARNED_SHADOWS | LETHE_CAP_ATTACK),
};

int conform_test_needs(struct conform *t, struct error *err)
{
    const lethe_plugin *p = t->plugin;
    const uint64_t known = (LETHE_CAP_UNLEARNED_SHADOWS << 1) - 1;
    uint64_t all = p->needs | p->uses;
    if (all & ~known)
        conform_say(t, CONFORM_FAIL, "bits %#" PRIx64 " of needs or uses are no LETHE_CAP_*",
                    all & ~known);
    if (all & known & ~rights[p->kind])
        conform_say(t, CONFORM_FAIL,
                    "it asks for access (bits %#" PRIx64 ") that no plugin of its kind gets",
                    all & known & ~rights[p->kind]);
    if (p->needs & p->uses)
        conform_say(t, CONFORM_WARN, "bits %#" PRIx64 " are both in needs and in uses",
                    p->needs & p->uses);
    if (p->kind == LETHE_KIND_UNLEARNER && ((const lethe_unlearner *)p->iface)->n_attacks > 0 &&
        !(all & LETHE_CAP_ATTACK))
        conform_say(t, CONFORM_FAIL, "it declares attacks, but not LETHE_CAP_ATTACK");
    return 0;
}

/* ---- outputs ---- */

static void check_output(struct conform *t, const lethe_output *o)
{
    bool constant = o->reference == LETHE_REF_CONSTANT;
    if (!*o->doc)
        conform_say(t, CONFORM_FAIL, "output %s has no doc", o->name);
    if (o->better < LETHE_BETTER_HIGHER || o->better > LETHE_BETTER_NEITHER)
        conform_say(t, CONFORM_FAIL, "output %s: better is %u, none of LETHE_BETTER_*", o->name,
                    o->better);
    if (o->reference > LETHE_REF_CONSTANT)
        conform_say(t, CONFORM_FAIL, "output %s: reference is %u, none of LETHE_REF_*", o->name,
                    o->reference);
    if (o->better == LETHE_BETTER_NEAR_REFERENCE && o->reference == LETHE_REF_NONE)
        conform_say(t, CONFORM_FAIL, "output %s is better near its reference and has none",
                    o->name);
    if (constant && (o->constant < o->lo || o->constant > o->hi))
        conform_say(t, CONFORM_FAIL, "output %s: its constant %g lies outside %g to %g", o->name,
                    o->constant, o->lo, o->hi);
    if (o->shape == LETHE_SHAPE_CURVE && !*o->x_name)
        conform_say(t, CONFORM_FAIL, "curve %s has no x_name", o->name);
    if (strcmp(o->unit, "percent") == 0 && (o->lo < -100 || o->hi > 100))
        conform_say(t, CONFORM_WARN, "output %s is in percent, from %g to %g", o->name, o->lo,
                    o->hi);
}

int conform_test_outputs(struct conform *t, struct error *err)
{
    const lethe_plugin *p = t->plugin;
    const lethe_membership_attack *m = p->iface;
    const lethe_audit *a = p->iface;
    const lethe_metric *e = p->iface;
    bool audit = p->kind == LETHE_KIND_AUDIT;
    if (p->kind == LETHE_KIND_MEMBERSHIP_ATTACK) {
        for (uint32_t i = 0; i < m->n_scores; i++) {
            const lethe_score *s = plugin_item(m->scores, m->score_stride, i);
            if (!*s->doc)
                conform_say(t, CONFORM_FAIL, "score %u (\"%s\") has no doc", i + 1, s->name);
        }
        return m->wants_fit <= 2
                   ? 0
                   : conform_say(t, CONFORM_FAIL, "wants_fit is %u; it is 0, 1 or 2", m->wants_fit);
    }
    for (uint32_t i = 0; i < (audit ? a->n_outputs : e->n_outputs); i++)
        check_output(t, audit ? plugin_item(a->outputs, a->output_stride, i)
                              : plugin_item(e->outputs, e->output_stride, i));
    return 0;
}

int conform_test_extension(struct conform *t, struct error *err)
{
    if (!t->plugin->extension)
        return conform_say(t, CONFORM_PASS, "it has none");
    TRY(conform_doing(t, err, "extension(\"no.such/1\")"));
    if (t->plugin->extension("no.such/1") || t->plugin->extension(""))
        return conform_say(t, CONFORM_FAIL, "expected NULL for an id that nobody knows");
    return 0;
}
