/* Models or outputs that were made elsewhere: `import: {models: PATTERN}` or `{logits: PATTERN}`,
 * of methods, originals, oracles; outputs of shadow models. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "plan_internal.h"
#include "strbuf.h"
#include "text.h"

/* The pattern with {scenario}, {forget}, {seed}, {unlearn} filled in (suite_file.c has checked that
 * there are no other words); a seed that the scenario does not have is 0. malloc'd. */
static char *fill_in(const char *pattern, const char *scenario, const struct plan_row *row)
{
    const struct {
        const char *word;
        int64_t seed;
    } words[] = {{"{forget}", row->seed_forget < 0 ? 0 : row->seed_forget},
                 {"{seed}", row->seed_model},
                 {"{unlearn}", row->seed_unlearn}};
    static const char name[] = "{scenario}";
    struct strbuf out;
    strbuf_init(&out);
    for (const char *p = pattern; *p;) {
        size_t i = 0, n = sizeof(words) / sizeof(words[0]);
        while (i < n && !text_starts(p, words[i].word))
            i++;
        if (i < n) {
            strbuf_addf(&out, "%" PRId64, words[i].seed);
            p += strlen(words[i].word);
        } else if (text_starts(p, name)) {
            strbuf_adds(&out, scenario);
            p += strlen(name);
        } else {
            strbuf_addc(&out, *p++);
        }
    }
    return strbuf_detach(&out);
}

/* A file that is there, as a draft identified by content: where the file lies does not matter.
 * Takes path in any case. */
static int draft_file(struct planner *b, enum task_kind kind, const char *label, char *path,
                      struct draft *ret, struct error *err)
{
    char hex[HASH_HEX_SIZE];
    struct draft d = {.kind = kind};
    int rc = hash_file(path, hex, err);
    if (rc < 0) {
        free(path);
        return rc;
    }
    d.identity = draft_identity(kind);
    d.import = path;
    d.title = text_format("import %s: %s", label, fs_basename(path));
    draft_set(&d, "import", json_string(hex));
    if (kind == TASK_PREDICT) {
        draft_input(b, &d, "data", b->data);
        draft_set(&d, "classes", json_integer(b->suite->arch->classes));
    } else {
        draft_set(&d, "arch", json_string(b->arch_text));
    }
    d.weight = 100;
    *ret = d;
    return 0;
}

/* The task that takes over the file for this row; NO_TASK, with a reason, when it is not there. */
static int import_file(struct planner *b, const char *pattern, enum task_kind kind,
                       const char *label, const struct plan_row *row, uint32_t *ret_task,
                       char **ret_reason, struct error *err)
{
    struct draft d;
    char *path = fill_in(pattern, b->suite->scenario[row->scenario].name, row);
    if (!path)
        return error_nomem(err);
    if (fs_exists(path) && !fs_is_dir(path)) {
        TRY(draft_file(b, kind, label, path, &d, err));
        return plan_add(b->plan, &d, ret_task, err);
    }
    *ret_task = NO_TASK;
    *ret_reason = text_format("import: there is no file %s", fs_basename(path));
    free(path);
    return *ret_reason ? 0 : error_nomem(err);
}

static int import_model(struct planner *b, const char *pattern, bool logits, enum task_kind kind,
                        const char *label, struct plan_row *row, struct error *err)
{
    TRY(import_file(b, pattern, logits ? TASK_PREDICT : kind, label, row, &row->model, &row->reason,
                    err));
    if (row->model == NO_TASK)
        row->verdict = VERDICT_FAILED;
    return 0;
}

int plan_import(struct planner *b, const struct suite_entry *e, struct plan_row *row,
                struct error *err)
{
    return import_model(b, e->import, e->import_logits, TASK_UNLEARN, e->label, row, err);
}

int plan_oracle(struct planner *b, const json_t *forget, double share, struct plan_row *row,
                struct error *err)
{
    const struct suite_import *im = &b->suite->oracles;
    char title[160];
    if (im->files)
        return import_model(b, im->files, im->logits, TASK_TRAIN, "oracle", row, err);
    snprintf(title, sizeof(title), "retrain oracle %lld, %s", (long long)row->seed_model,
             b->suite->scenario[row->scenario].name);
    return plan_train(b, "retrain", row->seed_model, forget, 1 - share, title, &row->model, err);
}

int plan_original(struct planner *b, struct plan_row *row, uint32_t *ret, struct error *err)
{
    const struct suite_import *im = &b->suite->originals;
    char title[64];
    if (im->files) {
        TRY(import_file(b, im->files, im->logits ? TASK_PREDICT : TASK_TRAIN, "original", row, ret,
                        &row->reason, err));
        if (*ret == NO_TASK)
            row->verdict = VERDICT_FAILED;
        return 0;
    }
    snprintf(title, sizeof(title), "train original %lld", (long long)row->seed_model);
    return plan_train(b, "original", row->seed_model, NULL, 1, title, ret, err);
}

int plan_import_shadows(struct planner *b, struct error *err)
{
    const struct suite_import *im = &b->suite->shadows;
    char hex[HASH_HEX_SIZE], label[32];
    TRY(hash_file(im->inclusion, hex, err));
    for (unsigned k = 0; k < b->suite->n_shadow; k++) {
        struct draft d;
        char *path = text_dup(im->files);
        if (!path)
            return error_nomem(err);
        snprintf(label, sizeof(label), "shadow model %u", k + 1);
        TRY(draft_file(b, TASK_PREDICT, label, path, &d, err));
        draft_set(&d, "inclusion", json_string(hex));
        draft_set(&d, "row", json_integer(k));
        draft_set(&d, "rows", json_integer(b->suite->n_shadow));
        d.inclusion = text_dup(im->inclusion);
        if (!d.inclusion)
            draft_set(&d, "inclusion", NULL);
        TRY(plan_add(b->plan, &d, &b->shadow[k], err));
    }
    return 0;
}

bool plan_row_is_imported(const struct suite *s, const struct plan_row *row, bool *ret_logits)
{
    const struct suite_entry *e = row->kind == PLAN_METHOD ? &s->unlearn[row->entry] : NULL;
    const struct suite_import *im = row->kind == PLAN_ORIGINAL ? &s->originals : &s->oracles;
    *ret_logits = e ? e->import_logits : im->logits;
    return e ? e->import != NULL : im->files != NULL;
}
