/* Views: what they compose to, labels, ids, augmentation. */
#include "unit_base/scratch.h"
#include "view.h"

enum { N = 12, C = 2, H = 5, W = 6, PIXELS = C * H * W };

struct fixture {
    struct arena *arena;
    struct dataset ds;
    uint8_t pixels[N * PIXELS];
    int32_t labels[N];
    const struct view *all;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uint32_t rows[N];
    f->arena = arena_new();
    for (int i = 0; i < N * PIXELS; i++)
        f->pixels[i] = (uint8_t)(1 + i % 255); /* never 0, so that padding shows */
    for (uint32_t i = 0; i < N; i++) {
        f->labels[i] = (int32_t)i % 3;
        rows[i] = N - 1 - i;
    }
    f->ds = (struct dataset){.n_train = N,
                             .n_classes = 3,
                             .channels = C,
                             .height = H,
                             .width = W,
                             .pixels = f->pixels,
                             .labels = f->labels};
    f->all = view_dataset(f->arena, &f->ds, rows, N);
    *state = f;
    return f->all ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    free(f);
    return 0;
}

static void assert_sample(const struct view *v, uint32_t pos, uint64_t id, int32_t y,
                          const float *x)
{
    float got_x[PIXELS];
    int32_t got_y = -1;
    uint64_t got_id = 0;
    view_fill(v, &pos, 1, 3, 1, true, got_x, &got_y, &got_id);
    assert_true(got_id == id);
    assert_int_equal(got_y, y);
    assert_memory_equal(got_x, x, sizeof got_x);
}

static void pool_sample(const struct fixture *f, size_t row, float *x)
{
    for (int i = 0; i < PIXELS; i++)
        x[i] = (float)f->pixels[row * PIXELS + i] / 255.0f;
}

static int32_t relabel(void *arg, uint32_t epoch, uint64_t id, int32_t y)
{
    return y + 10 * (int32_t)epoch + 100 * *(int32_t *)arg;
}

static void views_compose(void **state)
{
    struct fixture *f = *state;
    float x[PIXELS], made[3 * PIXELS];
    const int32_t made_y[3] = {7, 8, 9}, table[3] = {40, 41, 42};
    const uint32_t shape[3] = {C, H, W}, pick[3] = {0, 5, 5}, again[2] = {2, 0};
    int32_t one = 1;
    for (int i = 0; i < 3 * PIXELS; i++)
        made[i] = (float)i / 1000;
    assert_int_equal(view_count(f->all), N);
    assert_memory_equal(view_shape(f->all), shape, sizeof shape);
    pool_sample(f, 11, x);
    assert_sample(f->all, 0, 11, 2, x);
    const struct view *sub = view_subset(f->arena, f->all, pick, 3);
    pool_sample(f, 6, x);
    assert_sample(sub, 1, 6, 0, x);
    assert_sample(sub, 2, 6, 0, x);
    const struct view *subsub = view_subset(f->arena, sub, again, 2);
    assert_sample(subsub, 0, 6, 0, x);
    pool_sample(f, 11, x);
    assert_sample(subsub, 1, 11, 2, x);
    const struct view *arrays = view_arrays(f->arena, made, made_y, 3, shape);
    assert_sample(arrays, 1, VIEW_MADE_ID + 1, 8, made + PIXELS);
    const struct view *empty = view_subset(f->arena, arrays, pick, 0);
    const struct view *parts[4] = {empty, sub, empty, view_relabel(f->arena, arrays, table)};
    const struct view *cat = view_concat(f->arena, parts, 4);
    assert_int_equal(view_count(cat), 6);
    assert_sample(cat, 0, 11, 2, x);
    assert_sample(cat, 3, VIEW_MADE_ID, 40, made);
    assert_sample(cat, 5, VIEW_MADE_ID + 2, 42, made + 2 * PIXELS);
    const struct view *by = view_relabel_by(f->arena, cat, relabel, &one);
    assert_sample(by, 0, 11, 2 + 30 + 100, x); /* epoch 3 */
    const struct view *deep = view_subset(f->arena, by, (uint32_t[]){5, 0}, 2);
    assert_sample(deep, 0, VIEW_MADE_ID + 2, 42 + 130, made + 2 * PIXELS);
    assert_int_equal(view_count(view_concat(f->arena, NULL, 0)), 0);
}

static void outputs_are_optional_and_in_order(void **state)
{
    struct fixture *f = *state;
    const uint32_t rows[3] = {4, 0, 11};
    int32_t y[3];
    uint64_t id[3];
    float x[3 * PIXELS], want[PIXELS];
    view_fill(f->all, rows, 3, 0, 0, false, NULL, y, NULL);
    view_fill(f->all, rows, 3, 0, 0, false, NULL, NULL, id);
    view_fill(f->all, rows, 3, 0, 0, false, x, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(id[i], N - 1 - rows[i]);
        assert_int_equal(y[i], id[i] % 3);
        pool_sample(f, (size_t)id[i], want);
        assert_memory_equal(x + i * PIXELS, want, sizeof want);
    }
    view_fill(f->all, rows, 0, 0, 0, false, x, y, id);
}

/* Whether x is the pool sample shifted by (dy, dx), flipped or not, with zeros around it. */
static bool is_crop(const struct fixture *f, size_t row, const float *x, int dy, int dx, bool flip)
{
    for (int c = 0; c < C; c++)
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++) {
                int y = i + dy, z = (flip ? W - 1 - j : j) + dx;
                float want =
                    y < 0 || y >= H || z < 0 || z >= W
                        ? 0
                        : (float)f->pixels[row * PIXELS + (size_t)((c * H + y) * W + z)] / 255.0f;
                if (x[(c * H + i) * W + j] != want)
                    return false;
            }
    return true;
}

static void augmented_samples_are_crops_and_flips(void **state)
{
    struct fixture *f = *state;
    const struct view *v = view_augment(f->arena, f->all, AUGMENT_CROP_FLIP);
    float x[PIXELS];
    unsigned flips = 0, shifts_y[9] = {0}, shifts_x[9] = {0}, found = 0;
    for (uint32_t epoch = 0; epoch < 300; epoch++) {
        uint32_t pos = epoch % N;
        view_fill(v, &pos, 1, epoch, 1, true, x, NULL, NULL);
        for (int k = 0; k < 162; k++) {
            int dy = k % 9 - 4, dx = k / 9 % 9 - 4;
            if (is_crop(f, N - 1 - pos, x, dy, dx, k >= 81)) {
                flips += k >= 81;
                shifts_y[dy + 4]++;
                shifts_x[dx + 4]++;
                found++;
                break;
            }
        }
    }
    assert_int_equal(found, 300);
    assert_in_range(flips, 110, 190);
    for (int k = 0; k < 9; k++) {
        assert_in_range(shifts_y[k], 12, 60);
        assert_in_range(shifts_x[k], 12, 60);
    }
}

static void augmentation_depends_on_sample_and_epoch_alone(void **state)
{
    struct fixture *f = *state;
    const struct view *v = view_augment(f->arena, f->all, AUGMENT_CROP_FLIP);
    const uint32_t rows[3] = {1, 2, 3}, back[3] = {3, 2, 1};
    float a[3 * PIXELS], b[3 * PIXELS], plain[3 * PIXELS];
    view_fill(v, rows, 3, 5, 1, true, a, NULL, NULL);
    view_fill(v, back, 3, 5, 1, true, b, NULL, NULL);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(a + i * PIXELS, b + (2 - i) * PIXELS, PIXELS * sizeof *a);
    view_fill(v, rows, 3, 6, 1, true, b, NULL, NULL);
    assert_memory_not_equal(a, b, sizeof a);
    view_fill(v, rows, 3, 5, 2, true, b, NULL, NULL);
    assert_memory_not_equal(a, b, sizeof a);
    view_fill(v, rows, 3, 5, 1, false, b, NULL, NULL); /* switched off by the caller */
    view_fill(f->all, rows, 3, 5, 1, true, plain, NULL, NULL);
    assert_memory_equal(b, plain, sizeof b);
    const struct view *off = view_augment(f->arena, v, AUGMENT_NONE); /* or by an outer view */
    view_fill(off, rows, 3, 5, 1, true, b, NULL, NULL);
    assert_memory_equal(b, plain, sizeof b);
    const struct view *inside = view_subset(f->arena, v, rows, 3); /* stays on through a subset */
    view_fill(inside, (uint32_t[]){0, 1, 2}, 3, 5, 1, true, b, NULL, NULL);
    assert_memory_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compose),
        cmocka_unit_test(outputs_are_optional_and_in_order),
        cmocka_unit_test(augmented_samples_are_crops_and_flips),
        cmocka_unit_test(augmentation_depends_on_sample_and_epoch_alone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
