/* net_plan.c: which operations work in place, how long each buffer lives, and
 * where it lies. */
#include <stdlib.h>

#include "net_internal.h"

/* Room behind each buffer, for reads at full vector width. */
enum { SLACK = 64, ALIGN = 64 };

uint32_t net_reserve(struct net *net, size_t bytes, uint32_t start, uint32_t end)
{
    if (net->n_spans == net->cap_spans) {
        uint32_t cap = net->cap_spans ? 2 * net->cap_spans : 64;
        struct span *grown = realloc(net->span, cap * sizeof(*grown));
        if (!grown) {
            net->failed = true;
            return NO_SPAN;
        }
        net->span = grown;
        net->cap_spans = cap;
    }
    bytes = (bytes + SLACK + ALIGN - 1) / ALIGN * ALIGN;
    net->span[net->n_spans] = (struct span){.bytes = bytes, .start = start, .end = end};
    return net->n_spans++;
}

void net_want_scratch(struct net *net, size_t bytes)
{
    bytes = (bytes + SLACK + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > net->scratch_bytes)
        net->scratch_bytes = bytes;
}

/* An operation may write over its input when nobody else ever looks at that input. */
static void choose_in_place(struct net *net)
{
    for (uint32_t i = 0; i < net->n_ops; i++) {
        struct op *op = &net->op[i];
        uint32_t root = net->value[op->in[0]].root;
        struct value *r = &net->value[root];
        if (net->value[op->in[0]].n_consumers > 1)
            r->shared = true;
        bool view = op->class == &op_view;
        if (view || (op->class->in_place && !r->shared && !r->pinned)) {
            op->in_place = true;
            net->value[op->out].root = root;
        }
        if (op->class->needs_in)
            r->pinned = true;
        if (op->class->needs_out)
            net->value[net->value[op->out].root].pinned = true;
    }
}

static void widen(struct net *net, uint32_t *span, size_t bytes, uint32_t from, uint32_t to)
{
    if (*span == NO_SPAN) {
        *span = net_reserve(net, bytes, from, to);
        return;
    }
    struct span *s = &net->span[*span];
    s->start = from < s->start ? from : s->start;
    s->end = to > s->end ? to : s->end;
}

static void live_act(struct net *net, uint32_t value, uint32_t from, uint32_t to)
{
    struct value *r = &net->value[net->value[value].root];
    widen(net, &r->act, r->size * net->max_batch * sizeof(float), from, to);
}

static void live_grad(struct net *net, uint32_t value, uint32_t from, uint32_t to)
{
    struct value *r = &net->value[net->value[value].root];
    widen(net, &r->grad, r->size * net->max_batch * sizeof(float), from, to);
}

static void plan_op(struct net *net, struct op *op)
{
    uint32_t f = op->time, b = op->back_time;
    live_act(net, op->out, f, op->class->needs_out ? b : f);
    live_grad(net, op->out, b, b);
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct value *r = &net->value[net->value[op->in[i]].root];
        live_act(net, op->in[i], f, op->class->needs_in ? b : f);
        live_grad(net, op->in[i], b, b);
        if (r->shared && !op->in_place)
            op->extra[i] = net_reserve(net, r->size * net->max_batch * sizeof(float), b, b);
    }
    if (op->class->plan)
        op->class->plan(net, op);
}

static int by_bytes(const void *a, const void *b)
{
    const struct span *x = *(struct span *const *)a, *y = *(struct span *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : 1;
}

/* Lowest offset where the span meets none of the n placed ones that live at the same time. */
static size_t free_offset(struct span *const *placed, uint32_t n, const struct span *s)
{
    size_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < n; i++) {
            const struct span *o = placed[i];
            bool together = o->start <= s->end && s->start <= o->end;
            if (together && o->offset < at + s->bytes && at < o->offset + o->bytes) {
                at = o->offset + o->bytes;
                moved = true;
            }
        }
    }
    return at;
}

/* Greedy by size, as for register allocation by intervals. */
size_t spans_place(struct span *span, uint32_t n)
{
    size_t total = 0;
    struct span **order = malloc((n + 1) * sizeof(*order));
    if (!order)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        order[i] = &span[i];
    qsort(order, n, sizeof(*order), by_bytes);
    for (uint32_t i = 0; i < n; i++) {
        order[i]->offset = free_offset(order, i, order[i]);
        size_t end = order[i]->offset + order[i]->bytes;
        total = end > total ? end : total;
    }
    free(order);
    return total;
}

int net_plan(struct net *net, struct error *err)
{
    uint32_t n = net->n_ops;
    net->end_time = 2 * n + 2;
    choose_in_place(net);
    live_act(net, 0, 0, 0);
    for (uint32_t i = 0; i < n; i++) {
        net->op[i].time = 1 + i;
        net->op[i].back_time = 2 * n + 1 - i;
        plan_op(net, &net->op[i]);
    }
    live_act(net, net->op[n - 1].out, n + 1, n + 1);
    live_grad(net, net->op[n - 1].out, n + 1, n + 1);
    live_grad(net, 0, net->end_time, net->end_time);
    net->scratch = net_reserve(net, net->scratch_bytes * par_threads(net->par), 0, net->end_time);
    if (net->failed)
        return error_nomem(err);
    net->block_bytes = spans_place(net->span, net->n_spans);
    net->block = net->block_bytes ? aligned_alloc(ALIGN, net->block_bytes) : NULL;
    return net->block ? 0 : error_nomem(err);
}
