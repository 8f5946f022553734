/* net_plan.c: which operations work in place, how long each buffer lives, and
 * where it lies. */
#include <stdlib.h>

#include "net_internal.h"

/* Room behind each buffer, for reads at full vector width. */
enum { SLACK = 64, ALIGN = 64 };

/* Without backward passes, what they need has no size, and what is kept for them is not kept. */
static void clip_span(const struct net *net, struct span *s)
{
    uint32_t turn = net->n_ops + 1;
    if (net->full || s->end <= turn)
        return;
    s->bytes = s->start > turn ? 0 : s->bytes;
    s->end = s->start;
}

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
    clip_span(net, &net->span[net->n_spans]);
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
        if (op->class->needs_in && net->full)
            r->pinned = true;
        if (op->class->needs_out && net->full)
            net->value[net->value[op->out].root].pinned = true;
    }
}

/* A map that costs one pass over memory is not worth its memory: its output is computed again
 * when the backward pass asks for it, if nothing has written over it. */
static void choose_again(struct net *net)
{
    for (uint32_t i = 0; i < net->n_ops; i++)
        net->value[net->op[i].out].maker = i;
    for (uint32_t i = 0; net->full && i < net->n_ops; i++) {
        const struct op *op = &net->op[i];
        uint32_t n_members = 0;
        for (uint32_t v = 0; v < net->n_values; v++)
            n_members += net->value[v].root == op->out;
        net->value[op->out].remade = op->class == &op_affine && !op->pool && n_members == 1;
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

/* Input of an operation; kept: until the backward pass. */
static void live_input(struct net *net, uint32_t value, const struct op *op, bool kept)
{
    struct value *r = &net->value[net->value[value].root];
    bool again = kept && r->remade;
    live_act(net, value, op->time, kept && !again ? op->back_time : op->time);
    if (again)
        widen(net, &r->again, r->size * net->max_batch * sizeof(float), op->back_time,
              op->back_time);
}

static void live_grad(struct net *net, uint32_t value, uint32_t from, uint32_t to)
{
    struct value *r = &net->value[net->value[value].root];
    widen(net, &r->grad, r->size * net->max_batch * sizeof(float), from, to);
}

static void plan_op(struct net *net, struct op *op)
{
    uint32_t f = op->time, b = op->back_time;
    live_act(net, op->out, f, op->class->needs_out && net->full ? b : f);
    live_grad(net, op->out, b, b);
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct value *r = &net->value[net->value[op->in[i]].root];
        live_input(net, op->in[i], op, i == 0 && op->class->needs_in && net->full);
        live_grad(net, op->in[i], b, b);
        if (r->shared && !op->in_place && !op->class->adds)
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

static void plan_spans(struct net *net)
{
    uint32_t n = net->n_ops;
    choose_in_place(net);
    choose_again(net);
    live_act(net, 0, 0, 0);
    for (uint32_t i = 0; i < n; i++) {
        net->op[i].time = 1 + i;
        net->op[i].back_time = 2 * n + 1 - i;
        plan_op(net, &net->op[i]);
    }
    live_act(net, net->op[n - 1].out, n + 1, n + 1);
    live_grad(net, net->op[n - 1].out, n + 1, n + 1);
    live_grad(net, 0, net->end_time, net->end_time);
    net->scratch = net_reserve(net, net->scratch_bytes * par_threads(net->par), 0,
                               net->full ? net->end_time : n + 1);
}

/* Starts from the architecture: a second plan owes nothing to the first. */
int net_plan(struct net *net, bool full, struct error *err)
{
    free(net->block);
    net->block = NULL;
    net->block_bytes = net->scratch_bytes = 0;
    net->n_values = net->n_ops = net->n_spans = 0;
    net->full = full;
    net_build(net);
    net->end_time = 2 * net->n_ops + 2;
    if (!net->failed)
        plan_spans(net);
    if (net->failed)
        return error_nomem(err);
    net->block_bytes = spans_place(net->span, net->n_spans);
    net->block = net->block_bytes ? aligned_alloc(ALIGN, net->block_bytes) : NULL;
    return net->block ? 0 : error_nomem(err);
}
