/* test_nn_arch.c: architectures as text, their shapes, names and errors. */
#include "nn_testing.h"

#include <stdlib.h>
#include <string.h>

#include "strbuf.h"

static void check_round_trip(const char *text)
{
    struct strbuf first, second;
    strbuf_init(&first);
    strbuf_init(&second);
    struct arch *a = testing_arch(text);
    arch_text(a, &first);
    struct arch *b = testing_arch(first.s);
    arch_text(b, &second);
    assert_string_equal(first.s, second.s);
    assert_int_equal(a->classes, b->classes);
    struct error err = ERROR_INIT;
    struct model *m, *n;
    assert_int_equal(model_new(a, &m, &err), 0);
    assert_int_equal(model_new(b, &n, &err), 0);
    assert_int_equal(m->n_tensors, n->n_tensors);
    for (size_t i = 0; i < m->n_tensors; i++)
        assert_string_equal(m->tensor[i].name, n->tensor[i].name);
    model_free(m);
    model_free(n);
    arch_free(a);
    arch_free(b);
    strbuf_release(&first);
    strbuf_release(&second);
}

static void test_round_trips(void **state)
{
    check_round_trip("{arch: mlp, input: [1, 28, 28], classes: 10}");
    check_round_trip("{arch: lenet5, input: [1, 28, 28], classes: 10}");
    check_round_trip("{arch: cnn, width: 5, input: [3, 32, 32], classes: 7, bn: false}");
    check_round_trip("{arch: resnet18, width: 4, input: [3, 32, 32], classes: 10}");
    check_round_trip(
        "{arch: sequential, input: [3, 8, 8], layers: [{normalize: {mean: [0.1, 0.2, 0.3], "
        "std: [0.5, 0.25, 1]}}, {conv: {out: 4, kernel: 3, pad: 1, bias: false}}, {elu: {alpha: "
        "0.5}}, {residual: {body: [{conv: {out: 4, kernel: 3, pad: 1}}, relu], shortcut: [{conv: "
        "{out: 4, kernel: 1}}], halve: true}}, {avgpool: {kernel: 2}}, {dropout: {p: 0.1}}, "
        "{maxpool: {kernel: 3, stride: 1, pad: 1}}, globalavgpool, flatten, {linear: {out: 3}}]}");
}

static void test_canonical_text(void **state)
{
    struct strbuf text;
    strbuf_init(&text);
    struct arch *a = testing_arch("{arch: sequential, input: [1, 2, 2], layers: [flatten, "
                                  "{linear: {out: 3, name: head}}]}");
    arch_text(a, &text);
    assert_string_equal(text.s,
                        "{\"arch\":\"sequential\",\"input\":[1,2,2],\"classes\":3,\"layers\":["
                        "{\"flatten\":{\"name\":\"0\"}},"
                        "{\"linear\":{\"name\":\"head\",\"out\":3,\"bias\":true}}]}");
    arch_free(a);
    strbuf_release(&text);
}

static void check_tensors(const char *text, const char *const *names, size_t n)
{
    struct error err = ERROR_INIT;
    struct arch *a = testing_arch(text);
    struct model *m;
    assert_int_equal(model_new(a, &m, &err), 0);
    assert_int_equal(m->n_tensors, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(m->tensor[i].name, names[i]);
    model_free(m);
    arch_free(a);
}

static void test_tensor_names(void **state)
{
    static const char *const cnn[] = {
        "conv1.weight",     "conv1.bias",      "bn1.weight",       "bn1.bias",
        "bn1.running_mean", "bn1.running_var", "conv2.weight",     "conv2.bias",
        "bn2.weight",       "bn2.bias",        "bn2.running_mean", "bn2.running_var",
        "fc1.weight",       "fc1.bias",        "fc2.weight",       "fc2.bias"};
    static const char *const mlp[] = {"fc1.weight", "fc1.bias",   "fc2.weight",
                                      "fc2.bias",   "fc3.weight", "fc3.bias"};
    static const char *const sequential[] = {
        "0.weight", "0.bias", "3.body.0.weight", "3.shortcut.0.weight", "5.weight", "5.bias"};
    check_tensors("{arch: cnn, input: [1, 28, 28], classes: 10}", cnn, 16);
    check_tensors("{arch: mlp, input: [1, 28, 28], classes: 10}", mlp, 6);
    check_tensors("{arch: sequential, input: [3, 4, 4], layers: [{conv: {out: 8, kernel: 1}}, relu,"
                  "relu, {residual: {body: [{conv: {out: 8, kernel: 1, bias: false}}], shortcut: "
                  "[{conv: {out: 8, kernel: 1, bias: false}}]}}, flatten, {linear: {out: 2}}]}",
                  sequential, 6);
}

static void test_resnet18_names(void **state)
{
    struct error err = ERROR_INIT;
    struct arch *a = testing_arch("{arch: resnet18, input: [3, 32, 32], classes: 10}");
    struct model *m;
    assert_int_equal(model_new(a, &m, &err), 0);
    assert_int_equal(m->n_param, 11173962); /* the CIFAR ResNet-18 of width 64 */
    assert_int_equal(m->n_tensors, 102);
    assert_string_equal(m->tensor[0].name, "conv1.weight");
    assert_string_equal(m->tensor[5].name, "layer1.0.conv1.weight");
    assert_string_equal(m->tensor[35].name, "layer2.0.shortcut.0.weight");
    assert_string_equal(m->tensor[39].name, "layer2.0.shortcut.1.running_var");
    assert_string_equal(m->tensor[101].name, "linear.bias");
    model_free(m);
    arch_free(a);
}

struct named_case {
    const char *text;
    size_t n_param; /* as PyTorch counts the usual sources' */
    size_t place;   /* of a tensor and its name */
    const char *name;
};

static void test_named_networks(void **state)
{
    static const struct named_case cases[] = {
        {"{arch: vgg11, input: [3, 32, 32], classes: 10}", 9231114, 0, "features.0.weight"},
        {"{arch: vgg16, input: [3, 32, 32], classes: 10}", 14728266, 78, "classifier.weight"},
        {"{arch: vgg16, input: [3, 32, 32], classes: 10, bn: false}", 14719818, 4,
         "features.5.weight"},
        {"{arch: vgg19, input: [3, 32, 32], classes: 10}", 20040522, 90, "features.49.weight"},
        {"{arch: vgg19, input: [3, 64, 64], classes: 200}", 20445192, 96, "classifier.weight"},
        {"{arch: resnet9, input: [3, 32, 32], classes: 10}", 6575370, 12, "res1.0.0.weight"},
        {"{arch: resnet9, input: [1, 28, 28], classes: 10, bn: false}", 6569738, 16,
         "classifier.2.weight"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error err = ERROR_INIT;
        struct arch *a = testing_arch(cases[i].text);
        struct model *m;
        assert_int_equal(model_new(a, &m, &err), 0);
        assert_int_equal(m->n_param, cases[i].n_param);
        assert_string_equal(m->tensor[cases[i].place].name, cases[i].name);
        model_free(m);
        arch_free(a);
        check_round_trip(cases[i].text);
    }
}

/* Half the sum where there is a projection, and only there. */
static void test_halved_resnet18(void **state)
{
    struct arch *a =
        testing_arch("{arch: resnet18, width: 4, halve: true, input: [3, 32, 32], classes: 10}");
    unsigned halved = 0;
    for (uint32_t i = 0; i < a->n_layers; i++) {
        const struct arch_layer *l = &a->layer[i];
        if (l->kind != LAYER_RESIDUAL)
            continue;
        assert_int_equal(l->halve, l->n_shortcut > 0);
        halved += l->halve;
    }
    assert_int_equal(halved, 3);
    arch_free(a);
}

static void test_widths(void **state)
{
    struct arch *a = testing_arch("{arch: cnn, width: 16, input: [1, 28, 28], classes: 10}");
    assert_int_equal(a->layer[0].out[0], 16);
    assert_int_equal(a->layer[4].out[0], 32);
    assert_int_equal(a->layer[9].in[0], 32 * 7 * 7);
    assert_int_equal(a->layer[9].out[0], 64);
    arch_free(a);
    a = testing_arch("{arch: mlp, width: 100, input: [1, 28, 28], classes: 10}");
    assert_int_equal(a->layer[3].out[0], 50);
    arch_free(a);
}

static void test_shape_errors(void **state)
{
    testing_arch_error(
        "{arch: sequential, input: [16, 4, 4], layers: [relu, relu, relu, relu, relu, "
        "{conv: {out: 8, kernel: 5, name: conv2}}]}",
        "architecture:1:78: layer 5 (conv2): kernel 5x5 does not fit into input 16x4x4 with "
        "padding 0");
    testing_arch_error("{arch: lenet5, input: [1, 8, 8], classes: 10}",
                       "architecture:1:1: layer 3 (conv2): kernel 5x5 does not fit into input "
                       "6x2x2 with padding 0");
    testing_arch_error("{arch: vgg16, input: [1, 28, 28], classes: 10}",
                       "architecture:1:1: layer 43 (features.43): kernel 2x2 does not fit into "
                       "input 512x1x1 with padding 0");
    testing_arch_error("{arch: resnet9, input: [3, 7, 32], classes: 10}",
                       "architecture:1:1: layer 15 (conv4.3): kernel 2x2 does not fit into input "
                       "512x1x8 with padding 0");
    testing_arch_error("{arch: sequential, input: [3, 4, 4], layers: [{linear: {out: 8}}]}",
                       "architecture:1:47: layer 0 (linear): input 3x4x4 is not flat; put flatten "
                       "before it");
    testing_arch_error(
        "{arch: sequential, input: [3, 4, 4], layers: [{residual: {body: [{conv: {out: 8, kernel: "
        "3}}]}}]}",
        "architecture:1:47: layer 0 (residual): body gives 8x2x2 but the identity shortcut gives "
        "3x4x4");
    testing_arch_error(
        "{arch: sequential, input: [3, 4, 4], layers: [relu, {residual: {body: [relu, {conv: "
        "{out: 8, kernel: 9}}]}}]}",
        "architecture:1:78: layer 1.body.1 (conv): kernel 9x9 does not fit into input 3x4x4 with "
        "padding 0");
    testing_arch_error("{arch: sequential, input: [3, 4, 4], layers: [{maxpool: {kernel: 2, pad: "
                       "2}}]}",
                       "architecture:1:47: layer 0 (maxpool): padding 2 is more than half of the "
                       "kernel 2x2");
    testing_arch_error("{arch: sequential, classes: 10, input: [3, 4, 4], layers: [flatten, "
                       "{linear: {out: 8}}]}",
                       "architecture:1:69: layer 1 (linear): output 8x1x1 is not one value for "
                       "each of 10 classes");
}

static void test_option_errors(void **state)
{
    testing_arch_error("{arch: cnnn, input: [1, 28, 28], classes: 10}",
                       "architecture:1:8: unknown architecture \"cnnn\"; did you mean \"cnn\"?");
    testing_arch_error("{arch: cnn, classes: 10}", "architecture:1:1: input is missing; for "
                                                   "example input: [1, 28, 28]");
    testing_arch_error("{arch: cnn, input: [1, 28, 28]}",
                       "architecture:1:1: classes is missing; for example classes: 10");
    testing_arch_error("{arch: cnn, input: [1, 28, 28], classes: 10, width: 0}",
                       "architecture:1:53: width: 0 is not between 1 and 4096");
    testing_arch_error("{arch: sequential, input: [1, 2, 2], layers: [{dropuot: {p: 0.5}}]}",
                       "architecture:1:47: unknown layer \"dropuot\"; did you mean \"dropout\"?");
    testing_arch_error("{arch: sequential, input: [1, 2, 2], layers: [conv]}",
                       "architecture:1:47: conv needs options (out, ...)");
    testing_arch_error("{arch: sequential, input: [1, 2, 2], layers: [{conv: {out: 2}}]}",
                       "architecture:1:54: kernel is missing");
    testing_arch_error("{arch: sequential, input: [1, 2, 2], layers: [{normalize: {mean: [1, 2], "
                       "std: [1]}}]}",
                       "architecture:1:66: mean: expected a list of 1 numbers, one per channel");
    testing_arch_error("{arch: sequential, input: [1, 2, 2], layers: [{dropout: {p: 1}}, flatten]}",
                       "architecture:1:61: p: 1 is not in [0, 1)");
    testing_arch_error("{arch: sequential, input: [1, 2, 2], layers: [{relu: {name: a}}, "
                       "{flatten: {name: a}}]}",
                       "architecture:1:1: two layers are named \"a\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),    cmocka_unit_test(test_canonical_text),
        cmocka_unit_test(test_tensor_names),   cmocka_unit_test(test_resnet18_names),
        cmocka_unit_test(test_named_networks), cmocka_unit_test(test_halved_resnet18),
        cmocka_unit_test(test_widths),         cmocka_unit_test(test_shape_errors),
        cmocka_unit_test(test_option_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
