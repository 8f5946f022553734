/* Cells of a terminal, names of files, headings, dates of PDFs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cells.h"
#include "labels.h"
#include "pdf_date.h"

static void check(struct strbuf *b, const char *want)
{
    assert_string_equal(b->s, want);
    strbuf_reset(b);
}

static void test_width(void **state)
{
    assert_int_equal(cells_width(""), 0);
    assert_int_equal(cells_width("amun"), 4);
    assert_int_equal(cells_width("\xc3\xbcn\xc3\xaf"
                                 "code"),
                     7);                           /* two-byte letters */
    assert_int_equal(cells_width("u\xcc\x88"), 1); /* u and a combining mark */
    assert_int_equal(cells_width("\xe6\x9c\xba\xe5\x99\xa8"), 4);
    assert_int_equal(cells_width("\xf0\x9f\x8e\x89"), 2);
    assert_int_equal(cells_width("\xff\xc3"), 2);         /* no UTF-8: '?', one each */
    assert_int_equal(cells_width("\xed\xa0\x80"), 3);     /* a surrogate */
    assert_int_equal(cells_width("\xc0\xaf"), 2);         /* an overlong '/' */
    assert_int_equal(cells_width("\xf4\x90\x80\x80"), 4); /* beyond U+10FFFF */
}

static void test_cut_and_pad(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    cells_cut(&b, "gradient", 8);
    check(&b, "gradient");
    cells_cut(&b, "gradient", 5);
    check(&b, "grad\xe2\x80\xa6");
    cells_cut(&b, "gradient", 1);
    check(&b, "\xe2\x80\xa6");
    cells_cut(&b, "gradient", 0);
    check(&b, "");
    cells_pad(&b, "\xc3\xbc", 3, false);
    check(&b, "\xc3\xbc  ");
    cells_pad(&b, "\xc3\xbc", 3, true);
    check(&b, "  \xc3\xbc");
    cells_pad(&b, "\xe6\x9c\xba\xe5\x99\xa8\xe6\x9c\xba", 4,
              false); /* the second would reach over */
    check(&b, "\xe6\x9c\xba\xe2\x80\xa6 ");
    strbuf_release(&b);
}

/* A label must not clear the screen, end the line or turn the text around. */
static void test_control_characters(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    cells_cut(&b, "a\x1b[2J\nb\xc2\x9b\xe2\x80\xaez\xff", 99);
    check(&b, "a [2J b  z?");
    strbuf_release(&b);
}

static void test_wrap(void **state)
{
    struct strbuf b;
    strbuf_init(&b);
    cells_wrap(&b, "one two  three four", 2, 4, 12);
    check(&b, "one two\n    three\n    four\n");
    cells_wrap(&b, "", 0, 0, 10);
    check(&b, "\n");
    cells_wrap(&b, "a averylongwordindeed b", 0, 2, 8);
    check(&b, "a\n  averylongwordindeed\n  b\n");
    strbuf_release(&b);
}

static void test_names(void **state)
{
    static const char *const files[][2] = {{"random-0.1", "random-0.1"},
                                           {"../x", "_._x"},
                                           {"a b/c:d", "a_b_c_d"},
                                           {"class-3+5", "class-3+5"},
                                           {"\xc3\xbc", "__"}};
    static const char *const headings[][2] = {
        {"forget_acc", "Forget acc"},
        {"test_acc_forgotten", "Test acc forgotten"},
        {"rmia.auc_forget_test", "RMIA AUC"},
        {"rmia.auc_forget_retain", "RMIA AUC retain-forget"},
        {"loss_threshold.tpr_at_1pct_fpr", "Loss threshold TPR@1%"},
        {"klom.forget", "Klom forget"},
        {"", ""}};
    struct strbuf b;
    strbuf_init(&b);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        label_file_name(&b, files[i][0]);
        if (strcmp(files[i][0], "../x") == 0)
            assert_true(b.s[0] != '.' && !strchr(b.s, '/'));
        else
            assert_string_equal(b.s, files[i][1]);
        strbuf_reset(&b);
    }
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
        label_heading(&b, headings[i][0]);
        check(&b, headings[i][1]);
    }
    strbuf_release(&b);
}

static void test_pdf_dates(void **state)
{
    char pdf[] = "%PDF-1.5\n/CreationDate (D:20261124203919-05'30)\n/X (D:2026)\n"
                 "/CreationDate (D:20261124153919Z)";
    char other[] = "<svg>/CreationDate (D:20261124153919Z)",
         cut[] = "%PDF-1.5 /CreationDate (D:20261";
    pdf_date_clear(pdf, strlen(pdf));
    assert_string_equal(pdf, "%PDF-1.5\n/CreationDate (D:20000101000000+00'00)\n/X (D:2026)\n"
                             "/CreationDate (D:20000101000000Z)");
    pdf_date_clear(other, strlen(other));
    assert_string_equal(other, "<svg>/CreationDate (D:20261124153919Z)");
    pdf_date_clear(cut, strlen(cut));
    assert_string_equal(cut, "%PDF-1.5 /CreationDate (D:20000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut_and_pad),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_pdf_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
