/* verdict.h: how a task ended; the words of runs.csv's status column. */
#ifndef BASE_VERDICT_H
#define BASE_VERDICT_H

#define VERDICT_MAP(X)                                                                             \
    X(OK, "ok")                                                                                    \
    X(FAILED, "failed")                                                                            \
    X(UNSUPPORTED, "unsupported")                                                                  \
    X(DENIED, "denied")                                                                            \
    X(CRASHED, "crashed")                                                                          \
    X(VANISHED, "vanished")                                                                        \
    X(TIMEOUT, "timeout")                                                                          \
    X(OOM, "oom")                                                                                  \
    X(INVALID_OUTPUT, "invalid-output")

#define VERDICT_X(name, text) VERDICT_##name,
enum verdict { VERDICT_MAP(VERDICT_X) VERDICT_COUNT };
#undef VERDICT_X

const char *verdict_name(enum verdict v);
/* VERDICT_COUNT when the word is unknown. */
enum verdict verdict_from_name(const char *name);
/* From a negative status of core (error.h): UNSUPPORTED, DENIED, OOM, INVALID_OUTPUT, else FAILED.
 */
enum verdict verdict_from_code(int code);

#endif
