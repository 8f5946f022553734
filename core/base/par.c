/* par.c: the thread pool. Items come from one atomic counter; waiting threads spin for a moment
 * and then sleep on a futex, so that processes that share cores do not fight. */
#include "par.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "fs.h"

typedef void (*item_fn)(void *arg, size_t item, unsigned worker);

struct helper {
    struct par *pool;
    pthread_t thread;
    unsigned worker;
};

struct par {
    unsigned n_threads, n_started;
    uint64_t spin_ns;
    /* The job; written only while it is closed and nobody is active. */
    item_fn fn;
    void *arg;
    size_t n_items;
    atomic_size_t next;
    atomic_uint open;       /* 1 while helpers may take items */
    atomic_uint active;     /* helpers that look at the job */
    atomic_uint generation; /* futex: counts jobs */
    atomic_uint sleeping;   /* helpers that wait on generation */
    atomic_uint waiting;    /* 1 while the caller waits on active */
    atomic_uint busy;       /* 1 while a par_run uses the helpers */
    atomic_uint stop;
    struct helper helper[];
};

/* Which worker this thread is, for items that call par_run again. */
static _Thread_local unsigned this_worker;
static _Thread_local bool inside_item;

/* Denormals cost a hundred cycles each and appear wherever weights decay. Every thread that runs
 * items gets the same mode, so results do not depend on who ran what. It stays set. */
static void flush_denormals(void)
{
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040u); /* FTZ and DAZ */
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (1u << 24)));
#endif
}

static void cpu_relax(void)
{
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(atomic_uint *at, unsigned expected)
{
    syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *at, int n)
{
    syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

/* Spins while *at == value, at most spin_ns; true when it changed. */
static bool spin_while(atomic_uint *at, unsigned value, uint64_t spin_ns)
{
    uint64_t end = spin_ns > 0 ? fs_now_ns() + spin_ns : 0;
    for (;;) {
        for (int i = 0; i < 32; i++) {
            if (atomic_load(at) != value)
                return true;
            cpu_relax();
        }
        if (spin_ns == 0 || fs_now_ns() >= end)
            return false;
    }
}

static void take_items(struct par *p, unsigned worker)
{
    inside_item = true;
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n_items;)
        p->fn(p->arg, i, worker);
    inside_item = false;
}

static unsigned wait_for_job(struct par *p, unsigned seen)
{
    if (!spin_while(&p->generation, seen, p->spin_ns)) {
        atomic_fetch_add(&p->sleeping, 1);
        while (atomic_load(&p->generation) == seen)
            futex_wait(&p->generation, seen);
        atomic_fetch_sub(&p->sleeping, 1);
    }
    return atomic_load(&p->generation);
}

/* A helper says that it is active before it looks whether the job is open, and the caller closes
 * the job before it looks whether a helper is active (both sequentially consistent): a helper
 * that wakes late finds the job closed and never touches what the caller has gone on to. */
static void *helper_main(void *arg)
{
    struct helper *h = arg;
    struct par *p = h->pool;
    unsigned seen = 0;
    this_worker = h->worker;
    flush_denormals();
    for (;;) {
        seen = wait_for_job(p, seen);
        if (atomic_load(&p->stop))
            return NULL;
        atomic_fetch_add(&p->active, 1);
        if (atomic_load(&p->open))
            take_items(p, h->worker);
        if (atomic_fetch_sub(&p->active, 1) == 1 && atomic_load(&p->waiting))
            futex_wake(&p->active, 1);
    }
}

static void wait_until_idle(struct par *p)
{
    unsigned n;
    while ((n = atomic_load(&p->active)) != 0) {
        if (spin_while(&p->active, n, p->spin_ns))
            continue;
        atomic_store(&p->waiting, 1);
        if ((n = atomic_load(&p->active)) != 0)
            futex_wait(&p->active, n);
        atomic_store(&p->waiting, 0);
    }
}

static void start_helpers(struct par *p)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals belong to the program's own thread */
    for (unsigned i = 0; i + 1 < p->n_threads; i++) {
        p->helper[i] = (struct helper){.pool = p, .worker = i + 1};
        if (pthread_create(&p->helper[i].thread, NULL, helper_main, &p->helper[i]) != 0)
            break;
        p->n_started++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct par *par_new(unsigned n_threads)
{
    if (n_threads == 0 || n_threads > 4096)
        return NULL;
    struct par *p = calloc(1, sizeof *p + (n_threads - 1) * sizeof p->helper[0]);
    if (!p)
        return NULL;
    cpu_set_t cpus;
    bool crowded =
        sched_getaffinity(0, sizeof cpus, &cpus) == 0 && (unsigned)CPU_COUNT(&cpus) < n_threads;
    p->n_threads = n_threads;
    p->spin_ns = crowded ? 0 : 50000;
    start_helpers(p);
    if (p->n_started + 1 < n_threads) {
        par_free(p);
        return NULL;
    }
    return p;
}

void par_free(struct par *p)
{
    if (!p)
        return;
    atomic_store(&p->stop, 1);
    atomic_fetch_add(&p->generation, 1);
    futex_wake(&p->generation, 4096);
    for (unsigned i = 0; i < p->n_started; i++)
        pthread_join(p->helper[i].thread, NULL);
    free(p);
}

unsigned par_threads(const struct par *p)
{
    return p ? p->n_threads : 1;
}

static void run_serially(size_t n_items, item_fn fn, void *arg)
{
    bool nested = inside_item;
    unsigned worker = nested ? this_worker : 0;
    this_worker = worker;
    inside_item = true;
    for (size_t i = 0; i < n_items; i++)
        fn(arg, i, worker);
    inside_item = nested;
}

void par_run(struct par *p, size_t n_items, item_fn fn, void *arg)
{
    flush_denormals();
    /* Inside an item, or while another thread has the helpers, the caller does it all. */
    if (!p || p->n_threads == 1 || n_items <= 1 || inside_item ||
        atomic_exchange(&p->busy, 1) != 0) {
        run_serially(n_items, fn, arg);
        return;
    }
    p->fn = fn;
    p->arg = arg;
    p->n_items = n_items;
    atomic_store(&p->next, 0);
    atomic_store(&p->open, 1);
    atomic_fetch_add(&p->generation, 1);
    if (atomic_load(&p->sleeping))
        futex_wake(&p->generation, 4096);
    this_worker = 0;
    take_items(p, 0);
    atomic_store(&p->open, 0);
    wait_until_idle(p);
    atomic_store(&p->busy, 0);
}
