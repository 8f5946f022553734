/* log.c: one line a message, written to stderr in one piece. */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

/* The one process-wide state of the tree: how chatty the program is and who owns the last line
 * of the terminal. */
static struct {
    pthread_mutex_t lock;
    enum log_level level;
    void (*before)(void *), (*after)(void *);
    void *arg;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

void log_set_level(enum log_level level)
{
    pthread_mutex_lock(&state.lock);
    state.level = level;
    pthread_mutex_unlock(&state.lock);
}

void log_set_hooks(void (*before)(void *), void (*after)(void *), void *arg)
{
    pthread_mutex_lock(&state.lock);
    state.before = before;
    state.after = after;
    state.arg = arg;
    pthread_mutex_unlock(&state.lock);
}

void log_msg(enum log_level level, const char *format, ...)
{
    static const char *const label[] = {"error: ", "warning: ", "", "debug: "};
    char text[4096];
    int saved = errno; /* logging must not disturb the caller's errno */
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(text, sizeof text, format, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    pthread_mutex_lock(&state.lock);
    if (level <= state.level) {
        if (state.before)
            state.before(state.arg);
        fprintf(stderr, "%s: %s%s\n", program_invocation_short_name, label[level], text);
        if (state.after)
            state.after(state.arg);
    }
    pthread_mutex_unlock(&state.lock);
    errno = saved;
}
