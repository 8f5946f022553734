/* pdf_date.h: the one thing in a drawn PDF that differs between equal figures. */
#ifndef REPORT_PDF_DATE_H
#define REPORT_PDF_DATE_H

#include <stddef.h>

/* Sets every /CreationDate of a PDF to the first of January 2000, in place, so that all offsets
 * stay right. Other bytes than a PDF's are left alone. */
void pdf_date_clear(char *bytes, size_t n);

#endif
