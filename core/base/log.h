/* log.h: messages of the programs to stderr. Library rooms below cli return
 * errors instead of logging them; they may log warnings that are no failure. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR = 0, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_INFO */
void log_msg(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Called before a line is printed and after it, so that a status line can step aside. */
void log_set_hooks(void (*before)(void *), void (*after)(void *), void *arg);

#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
