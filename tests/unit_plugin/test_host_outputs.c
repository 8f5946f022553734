/* Attacks and metrics: order, truth and grants on the way in, refusals on the way out. */
#include "plugin_test.h"

#include "bench_model.h"

static void open_file(struct hosting *h, const char *path, const char *id)
{
    struct error err = ERROR_INIT;
    assert_ok(plugin_open(path, &h->file, &err), err);
    h->plugin_id = id;
}

/* ---- example attacks ---- */

static int perturb(struct bench *b, const char *how, float pixel, struct error *err)
{
    float x[3 * 784];
    int32_t y[3] = {0, 1, 2};
    struct adversarial set = {0};
    for (int i = 0; i < 3 * 784; i++)
        x[i] = pixel;
    open_file(&b->h, BAD_DIR "/bad_outputs.so", "test.bad-example");
    json_t *params = json_pack("{s:s}", "how", how);
    b->h.params = params;
    *err = (struct error)ERROR_INIT;
    int rc = hosting_perturb(&b->h, b->original, x, y, NULL, 3, &set, err);
    json_decref(params);
    return rc;
}

static void test_bad_examples(void **state)
{
    struct bench b;
    struct error err = ERROR_INIT;
    assert_ok(bench_init(&b, 1, &err), err);
    assert_fails(perturb(&b, "ball", 0.25f, &err), err, ERR_OUTPUT,
                 "sample 0: moved by 0.75, beyond its radius 0.00999999978");
    assert_int_equal(perturb(&b, "box", 0.5f, &err), ERR_OUTPUT);
    assert_string_equal(err.text, "sample 0: pixel 0 is 1.00100005, outside the box [0, 1]");
    assert_fails(perturb(&b, "nan", 0.5f, &err), err, ERR_OUTPUT,
                 "sample 0: pixel 0 became NaN or infinite");
    assert_fails(perturb(&b, "ball", 1.5f, &err), err, ERR_INVALID,
                 "sample 0 has a pixel 1.5 outside [0, 1]");
    bench_release(&b);
}

/* More than one batch, one of them short; samples are independent of their batch. */
static void test_batches(void **state)
{
    enum { N = 150 };
    struct bench b;
    struct error err = ERROR_INIT;
    struct adversarial all, tail, none;
    assert_ok(bench_init(&b, 2, &err), err);
    float *x = malloc(N * 784 * sizeof(*x));
    int32_t y[N];
    for (uint32_t i = 0; i < N; i++) {
        y[i] = b.ds->labels[i];
        for (size_t k = 0; k < 784; k++)
            x[i * 784 + k] = (float)b.ds->pixels[i * 784 + k] / 255.0f;
    }
    open_file(&b.h, PLUGIN_DIR "/pgd_l2_nearest.so", "pgd-l2-nearest");
    json_t *params = json_pack("{s:f,s:i,s:i,s:b}", "eps", 0.04, "steps", 3, "max_doublings", 2,
                               "warm_start", 1);
    b.h.params = params;
    assert_ok(hosting_perturb(&b.h, b.original, x, y, NULL, N, &all, &err), err);
    assert_int_equal(all.n, N);
    assert_int_equal(all.cost.read_other, N); /* no ids: nobody's samples */
    assert_ok(hosting_perturb(&b.h, b.original, x + 128 * 784, y + 128, NULL, 22, &tail, &err),
              err);
    assert_memory_equal(all.x + 128 * 784, tail.x, 22 * 784 * sizeof(float));
    assert_memory_equal(all.label + 128, tail.label, 22 * sizeof(int32_t));
    assert_ok(hosting_perturb(&b.h, b.original, x, y, NULL, 0, &none, &err), err);
    assert_int_equal(none.n, 0);
    adversarial_release(&all);
    adversarial_release(&tail);
    adversarial_release(&none);
    json_decref(params);
    free(x);
    bench_release(&b);
}

/* ---- membership attacks ---- */

enum { N = 60, VIEWS = 2, C = 3 };

struct candidates {
    float logits[N * VIEWS * C], reference[2][N * VIEWS * C], known[2][2 * VIEWS * C];
    int32_t y[N], known_y[2];
    uint8_t inclusion[2][N];
    const float *references[2];
    const uint8_t *inclusions[2];
    struct outputs members, nonmembers;
    struct member_input in;
};

/* Candidate i says i in its first logit, reference k says 100 k + i. */
static void make_candidates(struct candidates *c)
{
    memset(c, 0, sizeof(*c));
    for (int i = 0; i < N; i++) {
        c->logits[i * VIEWS * C] = (float)i;
        c->y[i] = i % 3;
        for (int k = 0; k < 2; k++) {
            c->reference[k][i * VIEWS * C] = (float)(100 * k + i);
            c->inclusion[k][i] = (uint8_t)((i / 3 + k) % 2);
        }
    }
    for (int k = 0; k < 2; k++) {
        c->references[k] = c->reference[k];
        c->inclusions[k] = c->inclusion[k];
        c->known[k][0] = (float)(5 + k);
    }
    c->members = (struct outputs){2, VIEWS, C, c->known[0], c->known_y};
    c->nonmembers = (struct outputs){2, VIEWS, C, c->known[1], c->known_y};
    c->in = (struct member_input){.candidates = {N, VIEWS, C, c->logits, c->y},
                                  .n_models = 2,
                                  .reference_logits = c->references,
                                  .inclusion = c->inclusions,
                                  .known_members = &c->members,
                                  .known_nonmembers = &c->nonmembers};
}

static void test_member(void **state)
{
    struct candidates c;
    struct hosting h = {.seed = 7};
    struct error err = ERROR_INIT;
    const char **names = NULL;
    double *scores = NULL;
    uint32_t n = 0;
    make_candidates(&c);
    open_file(&h, PROBE, "test.member");
    assert_ok(hosting_member(&h, &c.in, &n, &names, &scores, &err), err);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "which");
    assert_string_equal(names[1], "included");
    for (int i = 0; i < N; i++) {
        assert_true(scores[i] == i);
        assert_true(scores[N + i] == c.inclusion[0][i]);
    }
    free(names);
    free(scores);
    c.in.known_members = NULL;
    assert_fails(hosting_member(&h, &c.in, &n, &names, &scores, &err), err, ERR_DENIED,
                 "test.member needs samples of known membership, which this task does not grant");
    c.in.n_models = 0;
    assert_fails(hosting_member(&h, &c.in, &n, &names, &scores, &err), err, ERR_DENIED,
                 "test.member needs shadow models (references: {shadow: K}), which this task does "
                 "not grant");
}

static void test_nan_scores(void **state)
{
    struct candidates c;
    struct hosting h = {.seed = 7};
    struct error err = ERROR_INIT;
    const char **names = NULL;
    double *scores = NULL;
    uint32_t n = 0;
    make_candidates(&c);
    open_file(&h, BAD_DIR "/bad_outputs.so", "test.bad-scores");
    assert_fails(hosting_member(&h, &c.in, &n, &names, &scores, &err), err, ERR_OUTPUT,
                 "30 of 60 scores are NaN");
    c.in.candidates.n = 0;
    assert_fails(hosting_member(&h, &c.in, &n, &names, &scores, &err), err, ERR_INVALID,
                 "a membership attack needs candidates, there are none");
}

/* The scores of our own attacks do not depend on the order in which candidates come. */
static void test_own_attacks(void **state)
{
    struct candidates c;
    struct error err = ERROR_INIT;
    struct hosting h = {0};
    make_candidates(&c);
    for (int i = 0; i < N * VIEWS * C; i++) {
        c.logits[i] = (float)((i * 37) % 11) - 5;
        for (int k = 0; k < 2; k++)
            c.reference[k][i] = (float)((i * 29 + k) % 13) - 6;
    }
    c.in.candidates.n_views = 1;
    for (int attack = 0; attack < 2; attack++) {
        double *first = NULL;
        for (uint64_t seed = 1; seed <= 3; seed++) {
            const char **names = NULL;
            double *scores = NULL;
            uint32_t n = 0;
            open_file(&h, attack ? PLUGIN_DIR "/rmia.so" : PLUGIN_DIR "/loss_threshold.so",
                      attack ? "rmia" : "loss-threshold");
            json_t *params = bench_params(&h, "{}");
            assert_non_null(params);
            h.seed = seed;
            h.params = params;
            assert_ok(hosting_member(&h, &c.in, &n, &names, &scores, &err), err);
            json_decref(params);
            assert_int_equal(n, 1);
            if (first)
                assert_memory_equal(first, scores, N * sizeof(double));
            free(first);
            first = scores;
            free(names);
        }
        free(first);
    }
}

/* ---- metrics ---- */

struct measured {
    float logits[3][4];
    int32_t y[2];
    struct outputs set[3];
    struct model_outputs target[3], reference[2];
    struct metric_input in;
};

/* Three targets of two samples in two classes: all right, half right, none right. */
static void make_measured(struct measured *m)
{
    static const float z[3][4] = {{2, 1, 1, 2}, {2, 1, 2, 1}, {1, 2, 2, 1}};
    memset(m, 0, sizeof(*m));
    memcpy(m->logits, z, sizeof(z));
    m->y[1] = 1;
    for (int i = 0; i < 3; i++) {
        m->set[i] = (struct outputs){2, 1, 2, m->logits[i], m->y};
        m->target[i] =
            (struct model_outputs){&m->set[i], &m->set[(i + 1) % 3], &m->set[(i + 2) % 3], NULL};
    }
    m->reference[0] = m->target[0];
    m->reference[1] = m->target[2];
    m->in =
        (struct metric_input){.n_classes = 2, .n_targets = 1, .targets = m->target, .scenario = 1};
}

static int measure(struct measured *m, const char *path, const char *id, const char *how,
                   json_t **ret, struct error *err)
{
    struct hosting h = {0};
    json_t *params = json_pack("{s:s}", "how", how);
    open_file(&h, path, id);
    h.params = params;
    *err = (struct error)ERROR_INIT;
    int rc = hosting_metric(&h, &m->in, ret, err);
    json_decref(params);
    return rc;
}

static void expect_json(json_t *o, const char *want)
{
    char *got = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(got, want);
    free(got);
    json_decref(o);
}

static void test_accuracy(void **state)
{
    struct measured m;
    struct error err = ERROR_INIT;
    json_t *o = NULL;
    make_measured(&m);
    assert_ok(measure(&m, PLUGIN_DIR "/accuracy.so", "accuracy", "", &o, &err), err);
    json_object_del(o, "curves"); /* per-class curves are the plugin's own affair */
    expect_json(o, "{\"notes\":{\"test_acc_forgotten\":\"no class was forgotten\"},"
                   "\"values\":{\"forget_acc\":100.0,\"retain_acc\":50.0,\"test_acc\":0.0,"
                   "\"test_acc_forgotten\":null}}");
}

static void test_emissions(void **state)
{
    struct measured m;
    struct error err = ERROR_INIT;
    json_t *o = NULL;
    make_measured(&m);
    m.in.references = m.reference; /* there, but not declared by the plugin */
    m.in.n_references = 2;
    assert_ok(measure(&m, PROBE, "test.metric", "good", &o, &err), err);
    expect_json(o, "{\"curves\":{\"line\":{\"x\":[0.0,1.0],\"y\":[1.0,2.0]}},"
                   "\"notes\":{\"odd\":\"nothing to count\"},"
                   "\"values\":{\"odd\":null,\"share\":0.25}}");
    static const struct {
        const char *how, *text;
    } bad[] = {
        {"no_note", "emit: share is NaN without a note that says why"},
        {"twice", "emit: share was emitted before"},
        {"shape", "emit: share is declared as a scalar"},
        {"index", "emit: output 9 of the 3 that are declared"},
        {"curve", "emit: curve line holds NaN or infinite numbers"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_fails(measure(&m, PROBE, "test.metric", bad[i].how, &o, &err), err, ERR_OUTPUT,
                     bad[i].text);
}

static void test_bad_metric(void **state)
{
    struct measured m;
    struct error err = ERROR_INIT;
    json_t *o = NULL;
    const char *file = BAD_DIR "/bad_outputs.so";
    make_measured(&m);
    assert_fails(measure(&m, file, "test.bad-metric", "silent", &o, &err), err, ERR_OUTPUT,
                 "value was declared but not emitted");
    assert_fails(measure(&m, file, "test.bad-metric", "range", &o, &err), err, ERR_OUTPUT,
                 "emit: value is 2, outside its range 0 to 1");
    assert_fails(measure(&m, file, "test.bad-metric", "infinite", &o, &err), err, ERR_OUTPUT,
                 "emit: value is infinite");
}

static void test_groups(void **state)
{
    struct measured m;
    struct error err = ERROR_INIT;
    json_t *o = NULL;
    make_measured(&m);
    m.in.n_targets = 2;
    assert_ok(measure(&m, PROBE, "test.group", "good", &o, &err), err);
    expect_json(o, "{\"curves\":{},\"notes\":{\"odd\":\"needs 3 models, there are 2\","
                   "\"share\":\"needs 3 models, there are 2\"},"
                   "\"values\":{\"odd\":null,\"share\":null}}");
    m.in.n_targets = 3;
    assert_ok(measure(&m, PROBE, "test.group", "good", &o, &err), err);
    assert_true(json_number_value(json_object_get(json_object_get(o, "values"), "share")) == 0.25);
    json_decref(o);
}

static void test_audit(void **state)
{
    struct measured m;
    struct error err = ERROR_INIT;
    json_t *o = NULL;
    make_measured(&m);
    m.in.references = m.reference;
    m.in.n_references = 1;
    assert_ok(measure(&m, PROBE, "test.audit", "", &o, &err), err);
    expect_json(o, "{\"curves\":{},\"notes\":{\"distance\":\"needs 2 oracles, there is 1\"},"
                   "\"values\":{\"distance\":null}}");
    m.in.n_references = 2;
    assert_ok(measure(&m, PROBE, "test.audit", "", &o, &err), err);
    expect_json(o, "{\"curves\":{},\"notes\":{},\"values\":{\"distance\":1.0}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_examples), cmocka_unit_test(test_batches),
        cmocka_unit_test(test_member),       cmocka_unit_test(test_nan_scores),
        cmocka_unit_test(test_own_attacks),  cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_emissions),    cmocka_unit_test(test_bad_metric),
        cmocka_unit_test(test_groups),       cmocka_unit_test(test_audit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
