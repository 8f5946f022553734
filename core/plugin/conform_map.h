/* conform_map.h: the list of conformance tests: identifier, name, kinds, what must hold. A test is
 * added by a line here and a function conform_test_<identifier> in a conform_*.c file. */
#ifndef PLUGIN_CONFORM_MAP_H
#define PLUGIN_CONFORM_MAP_H

#define CONFORM_MAP(X)                                                                             \
    /* the file */                                                                                 \
    X(load, "load", CONFORM_FILE, "the file loads, and its entry, sizes, versions and tables fit") \
    X(load_twice, "load-twice", CONFORM_FILE, "loading it again gives the same entry")             \
    X(exports, "exports", CONFORM_FILE, "it exports lethe_plugin_entry and nothing else")          \
    X(imports, "imports", CONFORM_FILE,                                                            \
      "it calls nothing that ends, reroutes or reseeds the process")                               \
    X(constructors, "constructors", CONFORM_FILE, "it runs no code while it is loaded")            \
    /* what it declares */                                                                         \
    X(words, "words", CONFORM_ALL, "id, version, licence, summary and citation are well formed")   \
    X(params, "params", CONFORM_ALL, "every parameter has a doc, finite bounds, a sound search")   \
    X(domains, "domains", CONFORM_ALL,                                                             \
      "parameters of well-known names admit only values that have a meaning")                      \
    X(needs, "needs", CONFORM_ALL, "it asks only for access that its kind can get")                \
    X(outputs, "outputs", CONFORM_M | CONFORM_A,                                                   \
      "scores and outputs are described and consistent")                                           \
    X(extension, "extension", CONFORM_ALL, "an unknown extension is answered by NULL")             \
    /* parameters */                                                                               \
    X(defaults, "defaults", CONFORM_ALL, "the default parameters work")                            \
    X(bounds, "bounds", CONFORM_ALL,                                                               \
      "every bound and every choice of a parameter works or is refused with a sentence")           \
    X(refusals, "refusals", CONFORM_ALL, "values outside its bounds are refused")                  \
    /* same inputs, same bytes */                                                                  \
    X(repeat, "repeat", CONFORM_ALL, "the same call twice in one process gives the same bytes")    \
    X(state, "state", CONFORM_ALL, "other calls in between change nothing: A, B, A")               \
    X(process, "fresh-process", CONFORM_ALL,                                                       \
      "two processes with other addresses, heap garbage and times give the same bytes")            \
    X(digest, "digest", 0, "for fresh-process alone")                                              \
    X(threads, "threads", CONFORM_ALL, "1, 2 and 4 threads give the same bytes")                   \
    X(global_random, "global-random", CONFORM_ALL,                                                 \
      "rand() and its kin are neither read nor moved")                                             \
    /* access */                                                                                   \
    X(inputs, "inputs", CONFORM_ALL, "the original model, samples and outputs stay as they were")  \
    X(withheld, "withheld", CONFORM_ALL, "it runs without the access it only `uses`")              \
    /* the host says no */                                                                         \
    X(cancel, "cancel", CONFORM_ALL, "it ends soon after progress has said E_CANCELLED")           \
    X(interrupted, "interrupted", CONFORM_ALL, "it ends when every call says E_CANCELLED")         \
    X(budget, "budget", CONFORM_ALL, "it ends when every call says E_BUDGET")                      \
    X(memory, "memory", CONFORM_ALL, "each allocation may find no memory")                         \
    X(calls, "calls", CONFORM_ALL, "each call of the host may fail")                               \
    /* odd inputs */                                                                               \
    X(not_finite, "not-finite", CONFORM_ALL, "NaN and infinite weights or outputs are survived")   \
    X(forget_one, "forget-one", CONFORM_U | CONFORM_A, "a forget set of one sample")               \
    X(forget_none, "forget-none", CONFORM_U | CONFORM_A, "an empty forget set is survived")        \
    X(forget_class, "forget-class", CONFORM_U | CONFORM_A, "a whole class is forgotten")           \
    X(one_class, "one-class", CONFORM_ALL, "all samples of one class are survived")                \
    X(shapes, "shapes", CONFORM_ALL, "images of other shapes, other numbers of classes")           \
    X(requests, "requests", CONFORM_U, "three deletions, one after another, on one state")         \
    X(dispose, "dispose", CONFORM_U | CONFORM_M, "dispose accepts NULL")                           \
    /* what the answers mean */                                                                    \
    X(effect, "effect", CONFORM_U, "the model it gives is not the one it got")                     \
    X(found, "found", CONFORM_E, "`found` says what the model predicts")                           \
    X(targeted, "targeted", CONFORM_E, "a class to reach is reached or refused")                   \
    X(alone, "alone", CONFORM_E, "a sample's result does not hang on the others of its batch")     \
    X(permutation, "permutation", CONFORM_M, "the order of the candidates changes no score")       \
    X(direction, "direction", CONFORM_M, "members of an overfitted model score higher")            \
    X(ranges, "ranges", CONFORM_A, "values stay in their ranges on constant and extreme outputs")  \
    /* a good guest */                                                                             \
    X(leak, "leak", CONFORM_ALL, "memory does not grow from call to call")                         \
    X(left_behind, "left-behind", CONFORM_ALL, "no thread and no process is left behind")          \
    X(files, "files", CONFORM_ALL, "no file is left behind or open")                               \
    X(settings, "settings", CONFORM_ALL, "folder, locale, signals, rounding stay as they were")    \
    X(noise, "noise", CONFORM_ALL, "nothing is printed to stdout")                                 \
    X(fuzz, "fuzz", CONFORM_ALL, "random parameters, shapes and samples are survived")

#endif
