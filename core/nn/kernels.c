/* kernels.c: which vector class runs. */
#include "kernels.h"

extern const struct kernels kernels_portable;
#if defined(NN_VECTOR_CLASSES)
extern const struct kernels kernels_v3, kernels_v4;

static bool has_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
}

static bool has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

const struct kernels *kernels_usable(unsigned i)
{
    const struct kernels *usable[3] = {&kernels_portable, NULL, NULL};
#if defined(NN_VECTOR_CLASSES)
    if (has_v3())
        usable[1] = &kernels_v3;
    if (has_v4())
        usable[2] = &kernels_v4;
#endif
    return i < 3 ? usable[i] : NULL;
}

const struct kernels *kernels_best(void)
{
    const struct kernels *best = kernels_usable(0);
    for (unsigned i = 1; kernels_usable(i); i++)
        best = kernels_usable(i);
    return best;
}
