/* abi_layout.c: sizes, offsets and constants of the plugin ABI, compared with the
 * snapshot offsets.txt, so that no change goes unnoticed.
 *
 *   abi_layout --check tests/abi/offsets.txt    0 when nothing moved
 *   abi_layout --write tests/abi/offsets.txt    after a deliberate change
 *
 * A change is deliberate when it follows the growth rules of abi.h: new fields
 * and constants at the end, nothing moved (before major 1 with a new minor). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lethe/lethe.h>

struct field {
    const char *name;
    size_t offset, size;
};

struct layout {
    const char *name;
    size_t size;
    const struct field *field;
    size_t n_fields;
};

struct constant {
    const char *name;
    long long value;
};

/* S names the struct while its fields are listed. */
#define F(f) {#f, offsetof(S, f), sizeof(((S *)0)->f)},
#define LAYOUT(s)                                                                                  \
    {                                                                                              \
#s, sizeof(s), s##_fields, sizeof s##_fields / sizeof *s##_fields                          \
    }

#define S lethe_shape
static const struct field lethe_shape_fields[] = {F(n_dim) F(reserved) F(dim)};
#undef S
#define S lethe_batch
static const struct field lethe_batch_fields[] = {F(struct_size) F(n) F(input) F(x) F(y) F(id)};
#undef S
#define S lethe_loader_opts
static const struct field lethe_loader_opts_fields[] = {F(struct_size) F(batch_size) F(shuffle)
                                                            F(epoch) F(stream)};
#undef S
#define S lethe_tensor
static const struct field lethe_tensor_fields[] = {F(struct_size) F(flags) F(name) F(shape) F(n)
                                                       F(w) F(g)};
#undef S
#define S lethe_layer
static const struct field lethe_layer_fields[] = {
    F(struct_size) F(first_tensor) F(n_tensors) F(reserved) F(name) F(kind) F(in) F(out) F(kernel)
        F(stride) F(pad) F(halve) F(parent) F(branch) F(scale)};
#undef S
#define S lethe_value
static const struct field lethe_value_fields[] = {F(i)};
#undef S
#define S lethe_param
static const struct field lethe_param_fields[] = {F(struct_size) F(type) F(flags) F(name) F(unit) F(
    doc) F(def) F(min) F(max) F(choices) F(search)};
#undef S
#define S lethe_info
static const struct field lethe_info_fields[] = {F(struct_size) F(reserved) F(id) F(name) F(
    short_name) F(version) F(author) F(license) F(summary) F(doc) F(citation) F(url) F(tags)};
#undef S
#define S lethe_plugin
static const struct field lethe_plugin_fields[] = {F(struct_size) F(kind) F(info) F(params) F(
    n_params) F(param_stride) F(needs) F(uses) F(iface) F(extension)};
#undef S
#define S lethe_entry
static const struct field lethe_entry_fields[] = {F(magic) F(struct_size) F(abi_major) F(
    abi_minor) F(abi_minor_required) F(reserved) F(n_plugins) F(reserved1) F(plugins)};
#undef S
#define S lethe_ctx
static const struct field lethe_ctx_fields[] = {F(host) F(param)};
#undef S
#define S lethe_rng
static const struct field lethe_rng_fields[] = {F(s)};
#undef S
#define S lethe_core_api
static const struct field lethe_core_api_fields[] = {F(struct_size) F(reserved) F(log) F(fail)
                                                         F(progress) F(cancelled) F(alloc)};
#undef S
#define S lethe_rng_api
static const struct field lethe_rng_api_fields[] = {F(struct_size) F(reserved) F(stream) F(uniform)
                                                        F(normal) F(below) F(permute)};
#undef S
#define S lethe_data_api
static const struct field lethe_data_api_fields[] = {
    F(struct_size) F(reserved) F(count) F(batch) F(labels) F(subset) F(concat) F(relabel)
        F(relabel_by) F(arrays) F(augment) F(loader) F(next) F(ids)};
#undef S
#define S lethe_model_api
static const struct field lethe_model_api_fields[] = {
    F(struct_size) F(reserved) F(clone) F(fresh) F(copy) F(n_classes) F(n_tensors) F(tensor)
        F(n_layers) F(layer) F(forward) F(backward) F(input_gradient) F(zero_grad) F(predict)
            F(expand) F(prune)};
#undef S
#define S lethe_loss_api
static const struct field lethe_loss_api_fields[] = {F(struct_size) F(reserved) F(cross_entropy)
                                                         F(soft_cross_entropy) F(distill)};
#undef S
#define S lethe_optim_api
static const struct field lethe_optim_api_fields[] = {F(struct_size) F(reserved) F(sgd) F(adam)
                                                          F(mask) F(clip) F(step)};
#undef S
#define S lethe_adversarial
static const struct field lethe_adversarial_fields[] = {
    F(struct_size) F(n) F(x) F(label) F(clean_pred) F(found) F(radius) F(l2) F(steps)};
#undef S
#define S lethe_attack_api
static const struct field lethe_attack_api_fields[] = {F(struct_size) F(reserved) F(declared)
                                                           F(run)};
#undef S
#define S lethe_recipe
static const struct field lethe_recipe_fields[] = {F(struct_size) F(epochs) F(batch) F(reserved)
                                                       F(lr) F(momentum) F(weight_decay)};
#undef S
#define S lethe_recipe_api
static const struct field lethe_recipe_api_fields[] = {F(struct_size) F(reserved) F(get) F(train)
                                                           F(rate)};
#undef S
#define S lethe_par_api
static const struct field lethe_par_api_fields[] = {F(struct_size) F(reserved) F(n_threads)
                                                        F(range)};
#undef S
#define S lethe_emit_api
static const struct field lethe_emit_api_fields[] = {F(struct_size) F(reserved) F(scalar) F(curve)};
#undef S
#define S lethe_host
static const struct field lethe_host_fields[] = {
    F(struct_size) F(abi_major) F(abi_minor) F(name) F(version) F(core) F(rng) F(data) F(model)
        F(loss) F(optim) F(attack) F(recipe) F(par) F(emit) F(extension)};
#undef S
#define S lethe_forget_job
static const struct field lethe_forget_job_fields[] = {F(struct_size) F(request) F(scenario) F(
    n_forget_classes) F(forget_classes) F(model) F(original) F(forget) F(retain) F(validation)};
#undef S
#define S lethe_attack_use
static const struct field lethe_attack_use_fields[] = {F(struct_size) F(reserved) F(attack)
                                                           F(settings)};
#undef S
#define S lethe_unlearner
static const struct field lethe_unlearner_fields[] = {F(struct_size) F(scenarios) F(n_attacks) F(
    attack_stride) F(attacks) F(check) F(prepare) F(run) F(dispose)};
#undef S
#define S lethe_example_job
static const struct field lethe_example_job_fields[] = {F(struct_size) F(n_classes) F(box_lo)
                                                            F(box_hi) F(model) F(target)};
#undef S
#define S lethe_example_result
static const struct field lethe_example_result_fields[] = {F(struct_size) F(reserved) F(x) F(found)
                                                               F(radius) F(steps)};
#undef S
#define S lethe_example_attack
static const struct field lethe_example_attack_fields[] = {F(struct_size) F(norm) F(perturb)};
#undef S
#define S lethe_outputs
static const struct field lethe_outputs_fields[] = {F(struct_size) F(n_classes) F(n_views)
                                                        F(reserved) F(n) F(logits) F(y)};
#undef S
#define S lethe_references
static const struct field lethe_references_fields[] = {F(struct_size) F(n_models) F(logits)
                                                           F(inclusion)};
#undef S
#define S lethe_member_job
static const struct field lethe_member_job_fields[] = {
    F(struct_size) F(n_classes) F(candidates) F(references) F(known_members) F(known_nonmembers)
        F(known_member_references) F(known_nonmember_references)};
#undef S
#define S lethe_score
static const struct field lethe_score_fields[] = {F(struct_size) F(reserved) F(name) F(doc)};
#undef S
#define S lethe_membership_attack
static const struct field lethe_membership_attack_fields[] = {
    F(struct_size) F(n_scores) F(score_stride) F(wants_fit) F(scores) F(fit) F(score) F(dispose)};
#undef S
#define S lethe_output
static const struct field lethe_output_fields[] = {F(struct_size) F(shape) F(better) F(reference) F(
    name) F(unit) F(doc) F(x_name) F(lo) F(hi) F(constant)};
#undef S
#define S lethe_model_outputs
static const struct field lethe_model_outputs_fields[] = {F(struct_size) F(reserved) F(forget)
                                                              F(retain) F(test) F(test_forgotten)};
#undef S
#define S lethe_metric_job
static const struct field lethe_metric_job_fields[] = {
    F(struct_size) F(scenario) F(n_targets) F(n_references) F(outputs_stride) F(n_classes)
        F(targets) F(references) F(original) F(random) F(adversarial) F(source)
            F(source_adversarial) F(model) F(original_model) F(reference_models) F(forget) F(retain)
                F(cost) F(reference_costs)};
#undef S
#define S lethe_cost
static const struct field lethe_cost_fields[] = {F(struct_size) F(reserved) F(forward) F(
    backward) F(optimizer_steps) F(read_forget) F(read_retain)};
#undef S
#define S lethe_metric
static const struct field lethe_metric_fields[] = {F(struct_size) F(scope) F(n_outputs) F(
    output_stride) F(min_models) F(reserved) F(outputs) F(evaluate)};
#undef S
#define S lethe_audit
static const struct field lethe_audit_fields[] = {F(struct_size) F(reserved) F(n_outputs) F(
    output_stride) F(outputs) F(evaluate) F(min_references) F(reserved1)};
#undef S

static const struct layout layouts[] = {
    LAYOUT(lethe_shape),          LAYOUT(lethe_batch),         LAYOUT(lethe_loader_opts),
    LAYOUT(lethe_tensor),         LAYOUT(lethe_layer),         LAYOUT(lethe_value),
    LAYOUT(lethe_param),          LAYOUT(lethe_info),          LAYOUT(lethe_plugin),
    LAYOUT(lethe_entry),          LAYOUT(lethe_ctx),           LAYOUT(lethe_rng),
    LAYOUT(lethe_core_api),       LAYOUT(lethe_rng_api),       LAYOUT(lethe_data_api),
    LAYOUT(lethe_model_api),      LAYOUT(lethe_loss_api),      LAYOUT(lethe_optim_api),
    LAYOUT(lethe_adversarial),    LAYOUT(lethe_attack_api),    LAYOUT(lethe_recipe),
    LAYOUT(lethe_recipe_api),     LAYOUT(lethe_par_api),       LAYOUT(lethe_emit_api),
    LAYOUT(lethe_host),           LAYOUT(lethe_forget_job),    LAYOUT(lethe_attack_use),
    LAYOUT(lethe_unlearner),      LAYOUT(lethe_example_job),   LAYOUT(lethe_example_result),
    LAYOUT(lethe_example_attack), LAYOUT(lethe_outputs),       LAYOUT(lethe_references),
    LAYOUT(lethe_member_job),     LAYOUT(lethe_score),         LAYOUT(lethe_membership_attack),
    LAYOUT(lethe_output),         LAYOUT(lethe_model_outputs), LAYOUT(lethe_metric_job),
    LAYOUT(lethe_metric),         LAYOUT(lethe_audit),         LAYOUT(lethe_cost),
};

#define K(c)                                                                                       \
    {                                                                                              \
#c, (long long)(c)                                                                         \
    }
static const struct constant constants[] = {
    K(LETHE_MAGIC),
    K(LETHE_ABI_MAJOR),
    K(LETHE_ABI_MINOR),
    K(LETHE_OK),
    K(LETHE_E_INVALID),
    K(LETHE_E_UNSUPPORTED),
    K(LETHE_E_NOMEM),
    K(LETHE_E_CANCELLED),
    K(LETHE_E_NUMERIC),
    K(LETHE_E_IO),
    K(LETHE_E_DENIED),
    K(LETHE_E_BUDGET),
    K(LETHE_E_INTERNAL),
    K(LETHE_MAX_DIM),
    K(LETHE_EVAL),
    K(LETHE_TRAIN),
    K(LETHE_BN_FROZEN),
    K(LETHE_TENSOR_TRAINABLE),
    K(LETHE_TENSOR_STATISTIC),
    K(LETHE_TENSOR_BIAS),
    K(LETHE_TENSOR_NORM),
    K(LETHE_PARAM_BOOL),
    K(LETHE_PARAM_INT),
    K(LETHE_PARAM_REAL),
    K(LETHE_PARAM_CHOICE),
    K(LETHE_PARAM_STRING),
    K(LETHE_PARAM_LOG_SCALE),
    K(LETHE_PARAM_TUNABLE),
    K(LETHE_KIND_UNLEARNER),
    K(LETHE_KIND_EXAMPLE_ATTACK),
    K(LETHE_KIND_MEMBERSHIP_ATTACK),
    K(LETHE_KIND_AUDIT),
    K(LETHE_KIND_METRIC),
    K(LETHE_CAP_FORGET),
    K(LETHE_CAP_RETAIN),
    K(LETHE_CAP_VALIDATION),
    K(LETHE_CAP_GRADIENTS),
    K(LETHE_CAP_WEIGHTS),
    K(LETHE_CAP_LOGITS),
    K(LETHE_CAP_REFERENCES),
    K(LETHE_CAP_SHADOWS),
    K(LETHE_CAP_RECIPE),
    K(LETHE_CAP_ATTACK),
    K(LETHE_CAP_ORIGINAL),
    K(LETHE_CAP_RANDOM),
    K(LETHE_CAP_ADVERSARIAL),
    K(LETHE_CAP_MODEL),
    K(LETHE_CAP_COST),
    K(LETHE_CAP_UNLEARNED_SHADOWS),
    K(LETHE_LOG_ERROR),
    K(LETHE_LOG_WARNING),
    K(LETHE_LOG_INFO),
    K(LETHE_LOG_DEBUG),
    K(LETHE_SCENARIO_RANDOM),
    K(LETHE_SCENARIO_CLASS),
    K(LETHE_NORM_L0),
    K(LETHE_NORM_L1),
    K(LETHE_NORM_L2),
    K(LETHE_NORM_LINF),
    K(LETHE_SHAPE_SCALAR),
    K(LETHE_SHAPE_CURVE),
    K(LETHE_BETTER_HIGHER),
    K(LETHE_BETTER_LOWER),
    K(LETHE_BETTER_NEAR_REFERENCE),
    K(LETHE_BETTER_NEITHER),
    K(LETHE_REF_NONE),
    K(LETHE_REF_RETRAIN),
    K(LETHE_REF_ORIGINAL),
    K(LETHE_REF_CONSTANT),
    K(LETHE_SCOPE_RUN),
    K(LETHE_SCOPE_GROUP),
};

enum { TEXT_SIZE = 1 << 16 };

/* Appends a line; the text is far below TEXT_SIZE. */
__attribute__((format(printf, 2, 3))) static void put(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, TEXT_SIZE - used, format, args);
    va_end(args);
}

/* Fields follow one another without a gap to the end of the struct: nothing is
 * padded, and none is missing in the lists above. */
static int check_gaps(const struct layout *l)
{
    size_t at = 0;
    for (size_t f = 0; f < l->n_fields; f++) {
        if (l->field[f].offset != at) {
            fprintf(stderr, "%s: %zu bytes before %s belong to no listed field\n", l->name,
                    l->field[f].offset - at, l->field[f].name);
            return -1;
        }
        at += l->field[f].size;
    }
    if (at != l->size)
        fprintf(stderr, "%s: %zu bytes at the end belong to no listed field\n", l->name,
                l->size - at);
    return at == l->size ? 0 : -1;
}

static int describe(char *text)
{
    int status = 0;
    put(text, "# Layout of the plugin ABI %u.%u on 64-bit machines: struct, field, offset, size.\n",
        (unsigned)LETHE_ABI_MAJOR, (unsigned)LETHE_ABI_MINOR);
    put(text, "# Made by: abi_layout --write tests/abi/offsets.txt (see abi_layout.c)\n");
    for (size_t s = 0; s < sizeof layouts / sizeof *layouts; s++) {
        const struct layout *l = &layouts[s];
        put(text, "%s size %zu\n", l->name, l->size);
        for (size_t f = 0; f < l->n_fields; f++)
            put(text, "%s.%s %zu %zu\n", l->name, l->field[f].name, l->field[f].offset,
                l->field[f].size);
        status |= check_gaps(l);
    }
    for (size_t c = 0; c < sizeof constants / sizeof *constants; c++)
        put(text, "%s %lld\n", constants[c].name, constants[c].value);
    return status;
}

/* Prints the first line that differs. */
static int compare(const char *now, const char *snapshot, const char *path)
{
    while (*now && *now == *snapshot)
        now++, snapshot++;
    if (*now == *snapshot)
        return 0;
    while (now[-1] != '\n')
        now--, snapshot--;
    fprintf(stderr, "%s: \"%.*s\" has become \"%.*s\"; see abi_layout.c\n", path,
            (int)strcspn(snapshot, "\n"), snapshot, (int)strcspn(now, "\n"), now);
    return -1;
}

int main(int argc, char **argv)
{
    static char text[TEXT_SIZE], snapshot[TEXT_SIZE];
    int write = argc == 3 && strcmp(argv[1], "--write") == 0;
    if (argc != 3 || (!write && strcmp(argv[1], "--check") != 0)) {
        fprintf(stderr, "usage: abi_layout --check|--write tests/abi/offsets.txt\n");
        return 2;
    }
    if (describe(text) < 0)
        return 1;
    FILE *file = fopen(argv[2], write ? "w" : "r");
    if (!file) {
        perror(argv[2]);
        return 1;
    }
    if (write)
        fputs(text, file);
    else
        snapshot[fread(snapshot, 1, sizeof snapshot - 1, file)] = 0;
    int bad = ferror(file) | fclose(file);
    return bad || (!write && compare(text, snapshot, argv[2]) < 0);
}
