/* What a plugin finds when it uses a context after its call. */
#include <stdlib.h>

#include "host_internal.h"
#include "log.h"

void host_trap(void)
{
    log_error("a plugin used its context or a table of the host after the call had ended");
    abort();
}

/* host_trap never returns and takes nothing, so it can stand in for any function. */
#define TRAP(type, slot) .slot = (__typeof__(((type *)0)->slot))(void (*)(void))host_trap
#define CORE(slot) TRAP(lethe_core_api, slot)
#define RNG(slot) TRAP(lethe_rng_api, slot)
#define DATA(slot) TRAP(lethe_data_api, slot)
#define MODEL(slot) TRAP(lethe_model_api, slot)

static const lethe_core_api core = {.struct_size = sizeof(core),
                                    CORE(log),
                                    CORE(fail),
                                    CORE(progress),
                                    CORE(cancelled),
                                    CORE(alloc)};
static const lethe_rng_api rng = {
    .struct_size = sizeof(rng), RNG(stream), RNG(uniform), RNG(normal), RNG(below), RNG(permute)};
static const lethe_data_api data = {.struct_size = sizeof(data),
                                    DATA(count),
                                    DATA(batch),
                                    DATA(labels),
                                    DATA(subset),
                                    DATA(concat),
                                    DATA(relabel),
                                    DATA(relabel_by),
                                    DATA(arrays),
                                    DATA(augment),
                                    DATA(loader),
                                    DATA(next),
                                    DATA(ids)};
static const lethe_model_api model = {.struct_size = sizeof(model),
                                      MODEL(clone),
                                      MODEL(fresh),
                                      MODEL(copy),
                                      MODEL(n_classes),
                                      MODEL(n_tensors),
                                      MODEL(tensor),
                                      MODEL(n_layers),
                                      MODEL(layer),
                                      MODEL(forward),
                                      MODEL(backward),
                                      MODEL(input_gradient),
                                      MODEL(zero_grad),
                                      MODEL(predict),
                                      MODEL(expand),
                                      MODEL(prune)};
static const lethe_loss_api loss = {.struct_size = sizeof(loss),
                                    TRAP(lethe_loss_api, cross_entropy),
                                    TRAP(lethe_loss_api, soft_cross_entropy),
                                    TRAP(lethe_loss_api, distill)};
static const lethe_optim_api optim = {.struct_size = sizeof(optim),
                                      TRAP(lethe_optim_api, sgd),
                                      TRAP(lethe_optim_api, adam),
                                      TRAP(lethe_optim_api, mask),
                                      TRAP(lethe_optim_api, clip),
                                      TRAP(lethe_optim_api, step)};
static const lethe_attack_api attack = {
    .struct_size = sizeof(attack), TRAP(lethe_attack_api, declared), TRAP(lethe_attack_api, run)};
static const lethe_recipe_api recipe = {.struct_size = sizeof(recipe),
                                        TRAP(lethe_recipe_api, get),
                                        TRAP(lethe_recipe_api, train),
                                        TRAP(lethe_recipe_api, rate)};
static const lethe_par_api par = {
    .struct_size = sizeof(par), TRAP(lethe_par_api, n_threads), TRAP(lethe_par_api, range)};
static const lethe_emit_api emit = {
    .struct_size = sizeof(emit), TRAP(lethe_emit_api, scalar), TRAP(lethe_emit_api, curve)};

const lethe_host host_trap_table = {
    .struct_size = sizeof(lethe_host),
    .abi_major = LETHE_ABI_MAJOR,
    .abi_minor = LETHE_ABI_MINOR,
    .name = "lethe",
    .version = "",
    .core = &core,
    .rng = &rng,
    .data = &data,
    .model = &model,
    .loss = &loss,
    .optim = &optim,
    .attack = &attack,
    .recipe = &recipe,
    .par = &par,
    .emit = &emit,
    TRAP(lethe_host, extension),
};
