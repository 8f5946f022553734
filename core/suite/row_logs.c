#include "row_logs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "strbuf.h"
#include "text.h"

enum { MOST_SHOWN = 256 << 10 };

struct logs {
    const struct plan *plan;
    const struct store *store;
    char *dir; /* of the report's logs */
};

char *row_logs_name(unsigned run)
{
    return text_format("logs/%u.log", run);
}

/* The end of a file that a plugin may have made as long as it liked. */
static void add_tail(struct strbuf *out, const char *path)
{
    char bytes[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t at = size > MOST_SHOWN ? size - MOST_SHOWN : 0;
    if (at > 0)
        strbuf_addf(out, "(%lld bytes before this are left out)\n", (long long)at);
    for (ssize_t n = 1; at < size && n > 0; at += n) {
        n = pread(fd, bytes, sizeof(bytes), at);
        strbuf_add(out, bytes, n > 0 ? (size_t)n : 0);
    }
    if (out->len > 0 && out->s[out->len - 1] != '\n')
        strbuf_addc(out, '\n');
    if (fd >= 0)
        close(fd);
}

/* What was skipped has the reason of another task, which stands here already. */
static bool unsuccessful(const struct task *t)
{
    return t->state == TASK_FAILED;
}

static int add_task(const struct logs *l, uint32_t task, struct strbuf *out, struct error *err)
{
    const struct task *t = task == NO_TASK ? NULL : &l->plan->task[task];
    if (!t || (!t->plugin_path && !unsuccessful(t)))
        return 0;
    char *path = store_log(l->store, t->id);
    if (!path)
        return error_nomem(err);
    bool printed = fs_size(path) > 0;
    if (printed || unsuccessful(t)) {
        const char *reason = t->reason ? t->reason : "";
        strbuf_addf(out, "== %s: %s%s%s ==\n", t->title,
                    unsuccessful(t) ? verdict_name(t->verdict) : "ok", *reason ? ": " : "", reason);
        if (printed)
            add_tail(out, path);
    }
    free(path);
    return 0;
}

/* The scores behind an evaluation are a plugin's; the evaluation is the host's. */
static int add_attack(const struct logs *l, uint32_t evaluate, struct strbuf *out,
                      struct error *err)
{
    const struct plan *p = l->plan;
    if (evaluate == NO_TASK)
        return 0;
    for (unsigned i = 0; i < p->task[evaluate].n_deps; i++)
        if (p->task[p->task[evaluate].dep[i]].kind == TASK_ATTACK)
            TRY(add_task(l, p->task[evaluate].dep[i], out, err));
    return 0;
}

static int add_row(const struct logs *l, const struct plan_row *row, struct strbuf *out,
                   struct error *err)
{
    const struct suite *s = l->plan->suite;
    if (row->model == NO_TASK)
        strbuf_addf(out, "== %s: %s: %s ==\n", s->unlearn[row->entry].label,
                    verdict_name(row->verdict), row->reason ? row->reason : "");
    for (unsigned i = 0; i < row->n_adversarial; i++)
        TRY(add_task(l, row->adversarial[i], out, err));
    TRY(add_task(l, row->model, out, err));
    for (unsigned i = 0; i < s->n_attacks; i++)
        TRY(add_attack(l, row->evaluate[i], out, err));
    for (unsigned i = 0; i < s->n_metrics; i++)
        TRY(add_task(l, row->metric[i], out, err));
    return 0;
}

static int write_row(const struct logs *l, unsigned row, struct error *err)
{
    struct strbuf out;
    strbuf_init(&out);
    int rc = add_row(l, &l->plan->row[row], &out, err);
    char *path = text_format("%s/%u.log", l->dir, row + 1);
    if (rc == 0 && (!path || out.failed))
        rc = error_nomem(err);
    if (rc == 0 && out.len > 0)
        rc = fs_mkdirs(l->dir, err);
    if (rc == 0 && out.len > 0)
        rc = fs_write_atomic(path, out.s, out.len, err);
    free(path);
    strbuf_release(&out);
    return rc;
}

/* Files named as ours, which an earlier report with other rows may have left. */
static int sweep(const char *dir, struct error *err)
{
    char **names = NULL;
    size_t n = 0;
    if (!fs_is_dir(dir))
        return 0;
    TRY(fs_list(dir, &names, &n, err));
    for (size_t i = 0; i < n; i++) {
        size_t digits = strspn(names[i], "0123456789");
        char *path = fs_join(dir, names[i]);
        if (path && digits > 0 && strcmp(names[i] + digits, ".log") == 0)
            unlink(path);
        free(path);
    }
    fs_names_free(names);
    rmdir(dir); /* an empty one says nothing */
    return 0;
}

int row_logs_write(const struct plan *p, const struct store *store, const char *out_dir,
                   struct error *err)
{
    struct logs l = {p, store, fs_join(out_dir, "logs")};
    int rc = l.dir ? sweep(l.dir, err) : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < p->n_rows; i++)
        rc = write_row(&l, i, err);
    free(l.dir);
    return rc;
}
