/* Display names, colours, order, citations: the suite's words before the plugins'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_results.h"
#include "report_names.h"
#include "text.h"

static void name(struct results *r, enum name_kind kind, const char *key, const char *text,
                 bool given, const char *colour, int64_t order, const char *cite,
                 const char *bibtex)
{
    r->name = realloc(r->name, (r->n_names + 1) * sizeof(*r->name));
    assert_non_null(r->name);
    r->name[r->n_names++] = (struct result_name){kind,
                                                 given,
                                                 text_dup(key),
                                                 text_dup(text),
                                                 text_dup(colour),
                                                 text_dup(cite),
                                                 text_dup(bibtex),
                                                 order};
}

static void frame(struct results *r)
{
    static const struct fake_column columns[] = {{"forget_acc", "percent"},
                                                 {"my_mia.auc_forget_test", ""}};
    static const char *const scenarios[] = {"random-0.1", NULL};
    static const char *const methods[] = {"finetune", "amun", "salun", NULL};
    static const char *const gap[] = {"forget_acc", NULL};
    fake_frame(r, columns, 2, scenarios, methods, gap);
}

static void test_defaults(void **state)
{
    struct results r;
    struct strbuf b;
    frame(&r);
    strbuf_init(&b);
    assert_string_equal(report_method_name(&r, "amun"), "amun");
    assert_string_equal(report_colour(&r, "original"), "#666666");
    assert_string_equal(report_colour(&r, "finetune"), "#0072B2");
    assert_string_equal(report_colour(&r, "amun"), "#D55E00");
    assert_int_equal(report_dash(&r, "salun"), 3);
    assert_string_equal(report_cite(&r, "amun"), "");
    report_column_name(&b, &r, "forget_acc");
    assert_string_equal(b.s, "Forget acc");
    strbuf_release(&b);
    results_release(&r);
}

static void test_given(void **state)
{
    struct results r;
    struct strbuf b;
    size_t order[5];
    frame(&r);
    strbuf_init(&b);
    name(&r, NAME_METHOD, "amun", "AMUN", false, "", INT64_MAX, "smith2024", "");
    name(&r, NAME_METHOD, "salun", "SalUn", true, "#123456", 1, "", "");
    name(&r, NAME_ATTACK, "my-mia", "Mine", true, "", INT64_MAX, "", "");
    name(&r, NAME_COLUMN, "forget_acc", "FA", true, "", INT64_MAX, "", "");
    assert_string_equal(report_method_name(&r, "amun"), "AMUN");
    assert_string_equal(report_method_name(&r, "finetune"), "finetune");
    assert_string_equal(report_colour(&r, "salun"), "#123456");
    assert_string_equal(report_cite(&r, "amun"), "smith2024");
    report_column_name(&b, &r, "forget_acc");
    assert_string_equal(b.s, "FA");
    strbuf_reset(&b);
    report_column_name(&b, &r, "my_mia.auc_forget_test");
    assert_string_equal(b.s, "Mine AUC");
    report_method_order(&r, order);
    assert_string_equal(r.method[order[0]], "salun");
    assert_string_equal(r.method[order[1]], "original");
    assert_string_equal(r.method[order[4]], "amun");
    strbuf_release(&b);
    results_release(&r);
}

static void test_references(void **state)
{
    struct results r;
    struct strbuf b;
    frame(&r);
    strbuf_init(&b);
    name(&r, NAME_METHOD, "amun", "", false, "", 0, "a1", "@misc{a1, title={Ok {nested}}}");
    name(&r, NAME_METHOD, "twin", "", false, "", 0, "a1", "@misc{a1, title={Another text}}");
    name(&r, NAME_METHOD, "open", "", false, "", 0, "a2", "@misc{a2, title={Never closed}");
    name(&r, NAME_METHOD, "more", "", false, "", 0, "a3", "@misc{a3,} @misc{a1,}");
    name(&r, NAME_METHOD, "prose", "", false, "", 0, "", "Smith et al.");
    report_references(&r, &b);
    assert_string_equal(b.s, "@misc{a1, title={Ok {nested}}}\n\n"
                             "% 3: the plugin's citation is no BibTeX entry\n\n"
                             "% 4: the plugin's citation is no BibTeX entry\n\n"
                             "% 5: the plugin's citation is no BibTeX entry\n\n");
    strbuf_release(&b);
    results_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
