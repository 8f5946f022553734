/* leftovers.h: what a killed writer of a report leaves beside its files. */
#ifndef REPORT_LEFTOVERS_H
#define REPORT_LEFTOVERS_H

/* Removes temporary files of processes that are gone from a report's folder and the folders in it:
 * NAME.PID-N.tmp of a file, drawing-PID-NAME of a picture. What cannot be removed stays. */
void leftovers_remove(const char *dir);

#endif
