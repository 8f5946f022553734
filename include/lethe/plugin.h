/* SPDX-License-Identifier: MIT
 * plugin.h: how a shared object says what it contains. Everything here is
 * constant data of the plugin; reading it runs none of its code. */
#ifndef LETHE_PLUGIN_H
#define LETHE_PLUGIN_H

#include "params.h"

enum {
    LETHE_KIND_UNLEARNER = 1,         /* iface: lethe_unlearner (unlearner.h) */
    LETHE_KIND_EXAMPLE_ATTACK = 2,    /* iface: lethe_example_attack (attack.h) */
    LETHE_KIND_MEMBERSHIP_ATTACK = 3, /* iface: lethe_membership_attack (attack.h) */
    LETHE_KIND_AUDIT = 4,             /* iface: lethe_audit (audit.h) */
    LETHE_KIND_METRIC = 5             /* iface: lethe_metric (metric.h) */
};

/* Access a plugin asks for. `needs`: refuse to run without; `uses`: take it if
 * offered. What is neither declared nor granted is NULL or answers E_DENIED. */
#define LETHE_CAP_FORGET (1ull << 0)     /* the forget set */
#define LETHE_CAP_RETAIN (1ull << 1)     /* the retain set */
#define LETHE_CAP_VALIDATION (1ull << 2) /* held-out labelled samples */
#define LETHE_CAP_GRADIENTS (1ull << 3)  /* backward passes */
#define LETHE_CAP_WEIGHTS (1ull << 4)    /* tensors of the model, read and write */
#define LETHE_CAP_LOGITS (1ull << 5)     /* outputs of the model under attack */
#define LETHE_CAP_REFERENCES (1ull << 6) /* oracles (metrics, audits) */
#define LETHE_CAP_SHADOWS (1ull << 7)    /* shadow models' outputs and inclusion */
#define LETHE_CAP_RECIPE (1ull << 8)     /* training from scratch by the suite's recipe */
#define LETHE_CAP_ATTACK (1ull << 9)     /* running an example attack through the host */
#define LETHE_CAP_ORIGINAL (1ull << 10)  /* outputs of the original model */
/* metrics alone */
#define LETHE_CAP_RANDOM (1ull << 11)      /* outputs of a randomly initialised model */
#define LETHE_CAP_ADVERSARIAL (1ull << 12) /* outputs on adversarial samples */
#define LETHE_CAP_MODEL (1ull << 13)       /* the models themselves, to be cloned or read */
#define LETHE_CAP_COST (1ull << 14)        /* what the runs have cost */
/* membership attacks alone: the shadow models have unlearned what they knew of the candidates */
#define LETHE_CAP_UNLEARNED_SHADOWS (1ull << 15)

typedef struct lethe_info {
    uint32_t struct_size, reserved;
    const char *id;         /* "amun"; third parties "org.lab.method" */
    const char *name;       /* display name: "AMUN" */
    const char *short_name; /* for figures, at most 12 characters */
    const char *version;    /* semantic version */
    const char *author;
    const char *license;     /* SPDX expression */
    const char *summary;     /* one line */
    const char *doc;         /* what it does, source read, deviations; may have several lines */
    const char *citation;    /* BibTeX or "" */
    const char *url;         /* DOI, page or "" */
    const char *const *tags; /* NULL or NULL-ended */
} lethe_info;                /* no string is NULL; "" means absent */
LETHE_NO_TAIL_PADDING(lethe_info, tags);

typedef struct lethe_plugin {
    uint32_t struct_size, kind; /* kind: LETHE_KIND_* */
    const lethe_info *info;
    const lethe_param *params;                /* NULL when n_params is 0 */
    uint32_t n_params, param_stride;          /* stride: sizeof(lethe_param) as compiled */
    uint64_t needs, uses;                     /* LETHE_CAP_* */
    const void *iface;                        /* table chosen by kind */
    const void *(*extension)(const char *id); /* may be NULL */
} lethe_plugin;
LETHE_NO_TAIL_PADDING(lethe_plugin, extension);

/* The one exported symbol, `lethe_plugin_entry`; made by LETHE_ENTRY (export.h). */
typedef struct lethe_entry {
    uint32_t magic, struct_size;
    uint16_t abi_major, abi_minor; /* what the plugin was compiled against */
    uint16_t abi_minor_required;   /* the lowest host minor it can live with */
    uint16_t reserved;
    uint32_t n_plugins, reserved1;
    const lethe_plugin *const *plugins;
} lethe_entry;
LETHE_NO_TAIL_PADDING(lethe_entry, plugins);

#endif
