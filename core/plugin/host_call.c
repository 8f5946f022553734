/* Life of a host and of each call: grants on the way in, traps and verdicts on the way out. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "host_internal.h"
#include "text.h"
#include "trial.h"
#include "version.h"

/* ---- grants ---- */

static const struct {
    uint64_t cap;
    const char *what;
} cap_names[] = {
    {LETHE_CAP_FORGET, "the forget set"},
    {LETHE_CAP_RETAIN, "the retain set"},
    {LETHE_CAP_VALIDATION, "validation samples"},
    {LETHE_CAP_GRADIENTS, "gradients"},
    {LETHE_CAP_WEIGHTS, "the weights"},
    {LETHE_CAP_LOGITS, "the model's outputs"},
    {LETHE_CAP_REFERENCES, "outputs of the oracles (references: {retrain: K})"},
    {LETHE_CAP_SHADOWS, "shadow models (references: {shadow: K})"},
    {LETHE_CAP_RECIPE, "the training recipe"},
    {LETHE_CAP_ATTACK, "example attacks"},
    {LETHE_CAP_ORIGINAL, "outputs of the original model"},
    {LETHE_CAP_RANDOM, "outputs of a random model (files: --random)"},
    {LETHE_CAP_ADVERSARIAL, "outputs on adversarial samples (files: --adversarial)"},
    {LETHE_CAP_MODEL, "the models themselves (files: --model)"},
    {LETHE_CAP_COST, "what runs have cost"},
    {LETHE_CAP_UNLEARNED_SHADOWS, "shadow models that have unlearned"},
};

static int check_needs(const lethe_plugin *p, uint64_t available, struct error *err)
{
    uint64_t missing = p->needs & ~available;
    for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++)
        if (missing & cap_names[i].cap)
            return error_set(err, ERR_DENIED, "%s needs %s, which this task does not grant",
                             p->info->id, cap_names[i].what);
    if (missing)
        return error_set(err, ERR_DENIED, "%s needs access that this Lethe %s does not know",
                         p->info->id, LETHE_VERSION);
    return 0;
}

bool host_granted(const struct host *host, uint64_t cap)
{
    return (host->granted & cap) == cap;
}

static int check_data(const struct hosting *h, const struct arch *arch, struct error *err)
{
    const struct dataset *ds = h->ds;
    if (!ds || !arch ||
        (ds->channels == arch->input[0] && ds->height == arch->input[1] &&
         ds->width == arch->input[2] && ds->n_classes <= arch->classes))
        return 0;
    return error_set(err, ERR_INVALID,
                     "the model takes %ux%ux%u and knows %u classes, the data are %ux%ux%u of %u",
                     arch->input[0], arch->input[1], arch->input[2], arch->classes, ds->channels,
                     ds->height, ds->width, ds->n_classes);
}

int host_init(struct host *host, const struct hosting *h, uint32_t kind, uint64_t available,
              const struct arch *arch, struct error *err)
{
    const lethe_plugin *p = plugin_pick(h->file, kind, h->plugin_id);
    *host = (struct host){.h = h, .plugin = p, .id = h->plugin_id};
    if (!p)
        return error_set(err, ERR_INVALID, "the plugin file has no plugin %s of that kind",
                         h->plugin_id);
    TRY(check_needs(p, available, err));
    TRY(check_data(h, arch, err));
    host->granted = (p->needs | p->uses) & available & ~h->withheld;
    if (arch) {
        memcpy(host->shape, arch->input, sizeof(host->shape));
        host->n_classes = arch->classes;
        host->arch = arch;
    }
    return host_params_from_json(p, h->params, &host->param, err);
}

void host_release(struct host *host)
{
    host_nets_free(host);
    while (host->ctx) {
        struct host_ctx *next = host->ctx->next;
        free(host->ctx);
        host->ctx = next;
    }
    free(host->param);
    host->param = NULL;
}

size_t host_pixels(const struct host *host)
{
    return (size_t)host->shape[0] * host->shape[1] * host->shape[2];
}

/* ---- one call ---- */

static const void *no_extension(const struct lethe_host *host, const char *id)
{
    return NULL;
}

/* Tables that nothing was granted for stay NULL. */
static void fill_table(const struct host *host, lethe_host *t)
{
    bool unlearner = host->plugin->kind == LETHE_KIND_UNLEARNER;
    bool measured = host->emit && host_granted(host, LETHE_CAP_MODEL); /* a metric on models */
    bool models = unlearner || measured || host->plugin->kind == LETHE_KIND_EXAMPLE_ATTACK;
    bool samples = (unlearner || measured) && host->h->ds;
    bool trains = unlearner || measured;
    *t = (lethe_host){
        .struct_size = sizeof(*t),
        .abi_major = LETHE_ABI_MAJOR,
        .abi_minor = LETHE_ABI_MINOR,
        .name = "lethe",
        .version = LETHE_VERSION,
        .core = &host_core_table,
        .rng = &host_rng_table,
        .data = samples ? &host_data_table : NULL,
        .model = models ? &host_model_table : NULL,
        .loss = &host_loss_table,
        .optim = trains && host_granted(host, LETHE_CAP_WEIGHTS) ? &host_optim_table : NULL,
        .attack = unlearner && host_granted(host, LETHE_CAP_ATTACK) ? &host_attack_table : NULL,
        .recipe = trains && host_granted(host, LETHE_CAP_RECIPE) ? &host_recipe_table : NULL,
        .par = &host_par_table,
        .emit = host->emit ? &host_emit_table : NULL,
        .extension = no_extension,
    };
}

int host_call_begin(struct host *host, struct host_ctx **ret, struct error *err)
{
    struct host_ctx *c = calloc(1, sizeof(*c));
    struct arena *arena = arena_new();
    if (!c || !arena) {
        free(c);
        arena_free(arena);
        return error_nomem(err);
    }
    c->host = host;
    c->arena = arena;
    c->live = true;
    c->progress_hi = 1;
    c->next = host->ctx;
    host->ctx = c;
    fill_table(host, &c->table);
    if (host->h->trial)
        trial_install(host->h->trial, &c->table);
    c->head = (lethe_ctx){&c->table, host->param};
    *ret = c;
    return 0;
}

static const char *status_text(lethe_status status)
{
    static const struct {
        lethe_status status;
        const char *name, *text;
    } table[] = {
#define LETHE_X(name_, value, text_) {value, #name_, text_},
        LETHE_STATUS_MAP(LETHE_X)
#undef LETHE_X
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].status == status)
            return table[i].text;
    return "an unknown status";
}

/* A code of core as the plugin may see it. */
static lethe_status visible(int code)
{
    return code > LETHE_STATUS_LAST_ ? code : LETHE_E_INTERNAL;
}

static int outcome(const struct host_ctx *c, lethe_status status, struct error *err)
{
    if (status == LETHE_OK)
        return 0;
    if (status > 0)
        return error_set(err, ERR_INTERNAL, "the plugin answered %d; a status is 0 or negative",
                         (int)status);
    if (c->why.code != 0 && visible(c->why.code) == status)
        return error_set(err, c->why.code, "%s", c->why.text);
    if (c->why.code != 0) /* its own status, after something else had failed */
        return error_set(err, visible(status), "%s (%s)", status_text(status), c->why.text);
    return error_set(err, visible(status), "%s (the plugin gave no reason)", status_text(status));
}

int host_call_end(struct host_ctx *c, lethe_status status, struct error *err)
{
    int rc = outcome(c, status, err);
    c->live = false;
    c->table = host_trap_table;
    c->head.host = &host_trap_table;
    host_nets_disown(c->host);
    arena_free(c->arena);
    c->arena = NULL;
    c->spare = NULL;
    return rc;
}

struct host_ctx *host_ctx_of(lethe_ctx *ctx)
{
    struct host_ctx *c = (struct host_ctx *)ctx;
    if (!c->live)
        host_trap();
    return c;
}

/* ---- failures ---- */

lethe_status host_fail(struct host_ctx *c, int code, const char *format, ...)
{
    char text[sizeof(c->why.text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c->why.code = code;
    clean_text(text, strlen(text), c->why.text, sizeof(c->why.text));
    return visible(code);
}

lethe_status host_pass_on(struct host_ctx *c, const struct error *err)
{
    return host_fail(c, err->code, "%s", err->text);
}

lethe_status host_nomem(struct host_ctx *c)
{
    return host_fail(c, ERR_NOMEM, "out of memory");
}

/* ---- streams, scratch, cancelling ---- */

int host_stream(const struct host *host, const char *name, uint64_t index, struct rng *ret)
{
    char purpose[200]; /* shorter than what rng_stream would cut */
    /* Shared streams live under a word that is no plugin's id. */
    bool shared = name[0] == '/';
    int n = snprintf(purpose, sizeof(purpose), "%s/%s", shared ? "-" : host->id, name + shared);
    if (n < 0 || (size_t)n >= sizeof(purpose))
        return ERR_INVALID;
    rng_stream(ret, host->h->seed, purpose, index);
    return 0;
}

/* Sizes that differ little share a block; every block can hold the list's link. */
static size_t block_size(size_t bytes)
{
    return (bytes + 64) / 64 * 64;
}

void *host_take(struct host_ctx *c, size_t bytes)
{
    bytes = block_size(bytes);
    for (struct host_spare **s = &c->spare; *s; s = &(*s)->next)
        if ((*s)->bytes == bytes) {
            struct host_spare *found = *s;
            *s = found->next;
            return found;
        }
    return arena_alloc(c->arena, bytes);
}

void host_give(struct host_ctx *c, void *p, size_t bytes)
{
    struct host_spare *s = p;
    if (!s)
        return;
    *s = (struct host_spare){c->spare, block_size(bytes)};
    c->spare = s;
}

/* A worker that blocks SIGTERM before it starts threads lets plugins end in their own way;
 * otherwise the signal ends it at once. */
bool host_cancelled(void)
{
    sigset_t set;
    return sigpending(&set) == 0 && sigismember(&set, SIGTERM) == 1;
}
