#include "exec_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "text.h"

#define MIB ((uint64_t)1 << 20)
/* A worker before it has read anything, and what is left to the rest of the machine. */
#define WORKER_BYTES (24 * MIB)
#define RESERVE_BYTES (128 * MIB)
enum { SAMPLES_PER_KIND = 8 };

/* ---- guesses ---- */

struct size { /* of one sample's outputs, and of the parameters; elements */
    uint64_t outputs, params;
};

static void add_layers(const struct arch_layer *l, uint32_t n, struct size *s)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct arch_layer *a = &l[i];
        uint64_t out = (uint64_t)a->out[0] * a->out[1] * a->out[2];
        s->outputs += out;
        if (a->kind == LAYER_CONV)
            s->params += (uint64_t)a->in[0] * a->out[0] * a->kernel * a->kernel;
        else if (a->kind == LAYER_LINEAR)
            s->params += (uint64_t)a->in[0] * a->out[0];
        add_layers(a->body, a->n_body, s);
        add_layers(a->shortcut, a->n_shortcut, s);
    }
}

/* Every output is held with its gradient for a batch; parameters with gradients, the optimiser's
 * state and the plugin's copies. The data set is mapped. */
static void guess(struct exec_memory *m, const struct plan *p)
{
    const struct suite *s = p->suite;
    struct size size = {0};
    add_layers(s->arch->layer, s->arch->n_layers, &size);
    uint64_t pixels = (uint64_t)s->arch->input[0] * s->arch->input[1] * s->arch->input[2];
    uint64_t data = ((uint64_t)p->n_train_rows + p->n_test_rows) * pixels * sizeof(float);
    uint64_t net = 2 * s->train.batch * size.outputs * sizeof(float);
    uint64_t params = size.params * sizeof(float);
    for (unsigned k = 0; k < TASK_KIND_COUNT; k++)
        m->guess[k] = WORKER_BYTES;
    m->guess[TASK_DATA] += 2 * data;
    m->guess[TASK_TRAIN] += net + 4 * params + data / 2;
    m->guess[TASK_PREDICT] += net / 2 + params + data;
    m->guess[TASK_ADVERSARIAL] += net + 2 * params + data / 2;
    m->guess[TASK_UNLEARN] += net + 6 * params + data;
}

/* ---- what is known ---- */

void exec_memory_learn(struct exec_memory *m, enum task_kind kind, uint64_t peak_bytes)
{
    if (peak_bytes > m->known[kind])
        m->known[kind] = peak_bytes;
}

static void learn_from_store(struct exec_memory *m, const struct plan *p, const struct store *s)
{
    unsigned seen[TASK_KIND_COUNT] = {0};
    for (unsigned i = 0; i < p->n; i++) {
        const struct task *t = &p->task[i];
        json_t *meta = NULL;
        if (t->state != TASK_DONE || seen[t->kind] == SAMPLES_PER_KIND ||
            store_meta(s, t->id, &meta, NULL) < 0)
            continue;
        seen[t->kind]++;
        const json_t *mb = json_object_get(json_object_get(meta, "cost"), "peak_mb");
        if (json_is_number(mb) && json_number_value(mb) > 0)
            exec_memory_learn(m, t->kind, (uint64_t)(json_number_value(mb) * (double)MIB));
        json_decref(meta);
    }
}

void exec_memory_init(struct exec_memory *m, const struct plan *p, const struct store *s,
                      uint64_t budget)
{
    *m = (struct exec_memory){.budget = budget};
    guess(m, p);
    learn_from_store(m, p, s);
}

uint64_t exec_memory_expect(const struct exec_memory *m, enum task_kind kind)
{
    return m->known[kind] ? m->known[kind] : m->guess[kind];
}

/* ---- the question ---- */

void exec_memory_begin(struct exec_memory *m)
{
    m->expected = m->held = 0;
}

void exec_memory_add(struct exec_memory *m, enum task_kind kind, uint64_t held_bytes)
{
    uint64_t expected = exec_memory_expect(m, kind);
    m->expected += expected > held_bytes ? expected : held_bytes;
    m->held += held_bytes;
}

bool exec_memory_allows(const struct exec_memory *m, enum task_kind kind, uint64_t available)
{
    uint64_t need = exec_memory_expect(m, kind);
    if (m->budget && m->expected + need > m->budget)
        return false;
    uint64_t to_come = m->expected - m->held; /* running workers are not at their peaks yet */
    return available == UINT64_MAX || available >= to_come + need + RESERVE_BYTES;
}

/* ---- the machine ---- */

/* The number behind `key` in a file of "key number" lines; key "": the first word. */
static uint64_t number_in(const char *path, const char *key)
{
    char *bytes = NULL;
    size_t n;
    uint64_t value = UINT64_MAX;
    if (fs_read(path, 65536, &bytes, &n, NULL) < 0)
        return value;
    const char *at = bytes;
    while (at && strncmp(at, key, strlen(key)) != 0) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (at)
        sscanf(at + strlen(key), " %" SCNu64, &value); /* "max" leaves it as it is */
    free(bytes);
    return value;
}

/* Version 2, then version 1; the group's own files, seen from inside it. */
static uint64_t group_available(void)
{
    static const struct {
        const char *limit, *used, *stat, *cache;
    } files[] = {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current",
                  "/sys/fs/cgroup/memory.stat", "inactive_file"},
                 {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
                  "/sys/fs/cgroup/memory/memory.usage_in_bytes",
                  "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file"}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        uint64_t limit = number_in(files[i].limit, ""), used = number_in(files[i].used, "");
        uint64_t cache = number_in(files[i].stat, files[i].cache);
        if (limit == UINT64_MAX || used == UINT64_MAX)
            continue;
        used -= cache != UINT64_MAX && cache < used ? cache : 0;
        return limit > used ? limit - used : 0;
    }
    return UINT64_MAX;
}

uint64_t exec_memory_available(void)
{
    uint64_t kib = number_in("/proc/meminfo", "MemAvailable:");
    uint64_t machine = kib == UINT64_MAX ? kib : kib * 1024, group = group_available();
    return machine < group ? machine : group;
}
