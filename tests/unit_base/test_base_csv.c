/* Tables: reading, refusing, writing. */
#include <math.h>

#include "csv.h"
#include "unit_base/scratch.h"

static int parse(const char *text, struct csv_table *ret, struct error *err)
{
    return csv_parse_text("t.csv", text, strlen(text), ret, err);
}

static void reads_cells_and_lines(void **state)
{
    struct error err = ERROR_INIT;
    struct csv_table t;
    assert_ok(parse("\xef\xbb\xbf"
                    "a,b\r\n1, 2 \r\n\n\"x,\"\"y\"\"\nz\",\"\"\n3,4",
                    &t, &err));
    assert_int_equal(t.n_rows, 3);
    assert_int_equal(t.n_cols, 2);
    assert_string_equal(t.header[0], "a");
    assert_int_equal(csv_column(&t, "b"), 1);
    assert_int_equal(csv_column(&t, "c"), -1);
    assert_string_equal(t.row[0][1], "2");
    assert_string_equal(t.row[1][0], "x,\"y\"\nz");
    assert_string_equal(t.row[1][1], "");
    assert_string_equal(t.row[2][1], "4");
    assert_int_equal(t.line[0], 2);
    assert_int_equal(t.line[1], 4);
    assert_int_equal(t.line[2], 6);
    csv_release(&t);
    csv_release(&t);
}

static void a_header_alone_is_a_table(void **state)
{
    struct error err = ERROR_INIT;
    struct csv_table t;
    assert_ok(parse("only\n", &t, &err));
    assert_int_equal(t.n_rows, 0);
    assert_int_equal(t.n_cols, 1);
    csv_release(&t);
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "t.csv: empty; expected a header line"},
        {"\n\n", "t.csv: empty; expected a header line"},
        {"a,b\n1,2\n3\n", "t.csv:3: expected 2 cells as in the header, found 1"},
        {"a,b\n\n\"1\n2\",3,4\n", "t.csv:3: expected 2 cells as in the header, found 3"},
        {"a\n\"b\"x\n", "t.csv:2: a quote stands inside an unquoted cell or is never closed"},
        {"a\nx\"y\n", "t.csv:2: a quote stands inside an unquoted cell or is never closed"},
        {"a\n1\n\"open\nstill\n",
         "t.csv:3: a quote stands inside an unquoted cell or is never closed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct csv_table t;
        assert_error(parse(cases[i].text, &t, &err), &err, cases[i].error);
    }
    struct error err = ERROR_INIT;
    struct csv_table t;
    assert_error(csv_parse_text("t.csv", "a\0b", 3, &t, &err), &err,
                 "t.csv: contains a zero byte; is it a CSV file?");
    char *path = scratch_file(state, "large.csv", "a\n1\n", 4);
    assert_error_part(csv_read(path, 3, &t, &err), &err, "larger than the 3 bytes");
    assert_ok(csv_read(path, 4, &t, &err));
    csv_release(&t);
    free(path);
}

static void writes_what_it_reads(void **state)
{
    static const char *const cells[] = {
        "plain", "with,comma", "with \"quote\"", "two\nlines", " blank", "blank ", "", "\xc3\xa9"};
    enum { N = sizeof cells / sizeof cells[0] };
    struct error err = ERROR_INIT;
    struct csv_writer w;
    struct csv_table t;
    char *path = scratch_path(state, "w.csv");
    csv_writer_init(&w);
    for (int i = 0; i < N; i++)
        csv_cell(&w, "h");
    csv_end_row(&w);
    for (int i = 0; i < N; i++)
        csv_cell(&w, cells[i]);
    csv_end_row(&w);
    assert_ok(csv_writer_save(&w, path, &err));
    assert_ok(csv_read(path, 1 << 16, &t, &err));
    for (int i = 0; i < N; i++)
        assert_string_equal(t.row[0][i], cells[i]);
    csv_release(&t);
    csv_writer_release(&w);
    free(path);
}

static void numbers_and_empty_cells(void **state)
{
    struct csv_writer w;
    csv_writer_init(&w);
    csv_cell_double(&w, 0.1);
    csv_cell_double(&w, NAN);
    csv_cell_int(&w, -5);
    csv_cell(&w, NULL);
    csv_end_row(&w);
    csv_cell(&w, NULL); /* alone in its row: must not become a blank line */
    csv_end_row(&w);
    assert_string_equal(w.out.s, "0.1,,-5,\n\"\"\n");
    csv_writer_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_cells_and_lines),
        cmocka_unit_test(a_header_alone_is_a_table),
        cmocka_unit_test(refuses),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(numbers_and_empty_cells),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
