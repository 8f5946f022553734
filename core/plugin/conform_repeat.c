/* Tests of one rule: the same inputs give the same bytes, whatever happened before or beside. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "conform_tests.h"
#include "external_files.h"
#include "fs.h"
#include "text.h"

/* The usual case once more; its hash ("" where it failed). */
static int again(struct conform *t, const struct conform_case *c, char ret[HASH_HEX_SIZE],
                 struct error *err)
{
    struct conform_answer a;
    TRY(conform_call(t, c, &a, err));
    memcpy(ret, a.hash, HASH_HEX_SIZE);
    conform_answer_release(&a);
    return 0;
}

/* Opens the usual case and runs it: 0 with its hash, 1 when it does not work. */
static int first(struct conform *t, struct conform_usual *u, char ret[HASH_HEX_SIZE],
                 struct error *err)
{
    struct conform_answer a;
    TRY(conform_usual_open(t, u, err));
    int rc = conform_usual_call(t, u, &a, err);
    if (rc == 0) {
        memcpy(ret, a.hash, HASH_HEX_SIZE);
        conform_answer_release(&a);
    } else {
        conform_usual_close(u);
    }
    return rc;
}

static void compare(struct conform *t, const char *a, const char *b, const char *what)
{
    if (!*b)
        conform_say(t, CONFORM_FAIL, "%s: expected the same answer, found a failure", what);
    else if (strcmp(a, b) != 0)
        conform_say(t, CONFORM_FAIL,
                    "%s: expected the same bytes, found others (sha256 %.8s and %.8s)", what, a, b);
}

int conform_test_repeat(struct conform *t, struct error *err)
{
    struct conform_usual u;
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
    int rc = first(t, &u, a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (int k = 0; rc == 0 && k < 2; k++) {
        rc = again(t, &u.c, b, err);
        if (rc == 0)
            compare(t, a, b, k ? "the third call" : "the second call");
    }
    conform_usual_close(&u);
    return rc;
}

/* ---- A, B, A ---- */

/* Another seed, other samples, defaults; one that is stopped half-way. */
static int other_calls(struct conform *t, const struct conform_usual *u, struct error *err)
{
    struct world_spec spec = world_usual;
    struct trial stop = {.kind = TRIAL_CANCEL, .at = 9};
    struct conform_case c = u->c;
    struct world world;
    char ignored[HASH_HEX_SIZE];
    spec.seed = 77;
    spec.n_train = 33;
    TRY(conform_world(t, &spec, &world, err));
    c.world = &world;
    c.seed = u->c.seed + 1;
    int rc = again(t, &c, ignored, err);
    c.trial = &stop;
    if (rc == 0)
        rc = again(t, &c, ignored, err);
    world_release(&world);
    return rc;
}

int conform_test_state(struct conform *t, struct error *err)
{
    struct conform_usual u;
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
    TRY(conform_doing(t, err, "call A, other calls, call A again"));
    int rc = first(t, &u, a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = other_calls(t, &u, err);
    if (rc == 0)
        rc = again(t, &u.c, b, err);
    if (rc == 0)
        compare(t, a, b, "call A after other calls");
    conform_usual_close(&u);
    return rc;
}

/* ---- other processes ---- */

/* Not on the list: the hash of the usual case, for conform_test_process. */
int conform_test_digest(struct conform *t, struct error *err)
{
    struct conform_usual u;
    char a[HASH_HEX_SIZE];
    int rc = first(t, &u, a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    conform_usual_close(&u);
    return conform_say(t, CONFORM_PASS, "%s", a);
}

/* Fills what malloc gives and what free takes; the stack moves by the length of the padding. */
static void change_surroundings(int k)
{
    char padding[2048];
    memset(padding, 'x', sizeof(padding));
    padding[k ? sizeof(padding) - 1 : 7] = 0;
    setenv("MALLOC_PERTURB_", k ? "170" : "85", 1);
    setenv("LETHE_CHECK_PADDING", padding, 1);
}

/* "" when the process did not come to its end. */
static int digest_elsewhere(struct conform *t, int k, char ret[HASH_HEX_SIZE], struct error *err)
{
    char *job = text_format("%s/../digest%d.json", t->scratch, k);
    char *result = text_format("%s/../digest%d.result.json", t->scratch, k);
    const char *const args[] = {"check", job, NULL};
    struct child_options o = {.program = "/proc/self/exe", .args = args};
    struct child_result c;
    json_t *json = json_copy(t->json), *answer = NULL;
    char *out = NULL;
    *ret = 0;
    change_surroundings(k);
    int rc = job && result && json ? 0 : error_nomem(err);
    if (rc == 0) {
        json_object_set_new(json, "test", json_string("digest"));
        json_object_set_new(json, "result", json_string(result));
        rc = json_write_file(job, json, err);
    }
    if (rc == 0)
        rc = child_capture(&o, 1 << 20, &out, &c, err);
    if (rc == 0 && c.verdict == VERDICT_OK && json_read_file(result, &answer, NULL) == 0) {
        const char *text = json_string_value(json_object_get(answer, "text"));
        if (text && strlen(text) == HASH_HEX_SIZE - 1)
            memcpy(ret, text, HASH_HEX_SIZE);
    }
    json_decref(answer);
    json_decref(json);
    free(out);
    free(job);
    free(result);
    return rc;
}

/* Whoever asks for whole seconds gets another answer. */
static int wait_for_the_clock(const struct conform *t, struct error *err)
{
    struct elf_symbols s;
    struct timespec now, left;
    bool asks = false;
    if (external_is_manifest(t->path))
        return 0;
    TRY(elf_symbols_read(t->path, &s, err));
    for (size_t i = 0; s.undefined[i]; i++)
        asks |= strcmp(s.undefined[i], "time") == 0 || strcmp(s.undefined[i], "clock") == 0 ||
                strcmp(s.undefined[i], "gettimeofday") == 0;
    elf_symbols_release(&s);
    clock_gettime(CLOCK_REALTIME, &now);
    left = (struct timespec){0, 1000000000 - now.tv_nsec};
    while (asks && nanosleep(&left, &left) < 0)
        ;
    return 0;
}

int conform_test_process(struct conform *t, struct error *err)
{
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
    TRY(digest_elsewhere(t, 0, a, err));
    TRY(wait_for_the_clock(t, err));
    TRY(digest_elsewhere(t, 1, b, err));
    if (!*a && !*b)
        return conform_say(t, CONFORM_SKIP, "the usual case already fails (see the test defaults)");
    compare(t, *a ? a : b, *a ? b : a,
            "two processes, with other addresses and other garbage in fresh memory");
    return 0;
}

/* ---- threads ---- */

int conform_test_threads(struct conform *t, struct error *err)
{
    static const unsigned counts[] = {2, 4};
    struct conform_usual u;
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
    int rc = first(t, &u, a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (size_t k = 0; rc == 0 && k < sizeof(counts) / sizeof(counts[0]); k++) {
        u.c.par = par_new(counts[k]);
        rc = u.c.par ? again(t, &u.c, b, err) : error_nomem(err);
        if (rc == 0)
            compare(t, a, b, k ? "4 threads instead of 1" : "2 threads instead of 1");
        par_free(u.c.par);
    }
    conform_usual_close(&u);
    return rc;
}

/* ---- generators of the C library ---- */

static void seed_all(unsigned seed)
{
    srand(seed);
    srandom(seed);
    srand48((long)seed);
}

/* What the generators would give next. */
struct draws {
    long random, rand48;
};

static struct draws draw(void)
{
    return (struct draws){random(), lrand48()};
}

int conform_test_global_random(struct conform *t, struct error *err)
{
    struct conform_usual u;
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
    seed_all(1);
    int rc = first(t, &u, a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    seed_all(2);
    rc = again(t, &u.c, b, err);
    if (rc == 0)
        compare(t, a, b, "after another srand()");
    seed_all(3);
    struct draws untouched = draw(), found;
    seed_all(3);
    if (rc == 0)
        rc = again(t, &u.c, b, err);
    found = draw();
    if (found.random != untouched.random || found.rand48 != untouched.rand48)
        conform_say(t, CONFORM_WARN,
                    "it moves a generator of the C library; draw from rng->stream instead");
    conform_usual_close(&u);
    return rc;
}
