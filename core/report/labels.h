/* labels.h: labels and column names as file names and as headings for people. */
#ifndef REPORT_LABELS_H
#define REPORT_LABELS_H

#include "strbuf.h"

/* Bytes other than letters, digits, '.', '_', '+' and '-' become '_', and so does a leading '.'. */
void label_file_name(struct strbuf *out, const char *label);
/* "forget_acc" -> "Forget acc", "rmia.auc_forget_test" -> "RMIA AUC". */
void label_heading(struct strbuf *out, const char *column);

#endif
