/* Rows whose models or outputs were made elsewhere: `import: {models: PATTERN}` or `{logits:
 * PATTERN}`. */
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

/* Identified by content and architecture: where the file lies does not matter. */
static int add_task(struct planner *b, const struct suite_entry *e, char *path,
                    struct plan_row *row, struct error *err)
{
    char hex[HASH_HEX_SIZE];
    enum task_kind kind = e->import_logits ? TASK_PREDICT : TASK_UNLEARN;
    struct draft d = {.kind = kind, .identity = draft_identity(kind)};
    d.import = path;
    d.title = text_format("import %s: %s", e->label, fs_basename(path));
    int rc = hash_file(path, hex, err);
    if (rc < 0) {
        json_decref(d.identity);
        free(d.title);
        free(path);
        return rc;
    }
    draft_set(&d, "import", json_string(hex));
    if (e->import_logits) {
        draft_input(b, &d, "data", b->data);
        draft_set(&d, "classes", json_integer(b->suite->arch->classes));
    } else {
        draft_set(&d, "arch", json_string(b->arch_text));
    }
    d.weight = 100;
    return plan_add(b->plan, &d, &row->model, err);
}

int plan_import(struct planner *b, const struct suite_entry *e, struct plan_row *row,
                struct error *err)
{
    const char *scenario = b->suite->scenario[row->scenario].name;
    char *path = fill_in(e->import, scenario, row);
    if (!path)
        return error_nomem(err);
    if (fs_exists(path) && !fs_is_dir(path))
        return add_task(b, e, path, row, err);
    row->model = NO_TASK;
    row->verdict = VERDICT_FAILED;
    row->reason = text_format("import: there is no file %s", fs_basename(path));
    free(path);
    return row->reason ? 0 : error_nomem(err);
}
