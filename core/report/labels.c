#include "labels.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "text.h"

void label_file_name(struct strbuf *out, const char *label)
{
    for (const char *p = label; *p; p++) {
        bool plain = isalnum((unsigned char)*p) || strchr("._+-", *p);
        strbuf_addc(out, !plain || (*p == '.' && p == label) ? '_' : *p);
    }
}

/* Shorter words for the endings that the host itself gives to a column. */
static const struct {
    const char *ending, *heading;
} endings[] = {
    {".auc_forget_test", " AUC"},
    {".auc_retain_test", " AUC retain-test"},
    {".auc_forget_retain", " AUC retain-forget"},
    {".auc_forget_test_balanced", " AUC balanced"},
    {".tpr_at_1pct_fpr", " TPR@1%"},
    {".tpr_at_0p1pct_fpr", " TPR@0.1%"},
};

/* Abbreviations of the field keep their capitals. */
static const char *const abbreviations[] = {"auc", "tpr", "fpr", "kl",  "js",   "zrf",
                                            "svc", "mia", "nn",  "ece", "rmia", NULL};

static void add_word(struct strbuf *out, const char *word, size_t n, bool first)
{
    bool upper = false;
    for (size_t i = 0; abbreviations[i]; i++)
        upper |= strlen(abbreviations[i]) == n && strncmp(word, abbreviations[i], n) == 0;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)word[i];
        strbuf_addc(out, (char)(upper || (first && i == 0) ? toupper(c) : c));
    }
}

void label_heading(struct strbuf *out, const char *column)
{
    size_t n = strlen(column);
    const char *rest = "";
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (text_ends(column, endings[i].ending)) {
            n -= strlen(endings[i].ending);
            rest = endings[i].heading;
            break;
        }
    for (size_t at = 0; at < n;) {
        size_t word = 0;
        while (at + word < n && !strchr("._-", column[at + word]))
            word++;
        if (at)
            strbuf_addc(out, ' ');
        add_word(out, column + at, word, at == 0);
        at += word + 1;
    }
    strbuf_adds(out, rest);
}
