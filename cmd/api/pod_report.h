/* Pod report: every few seconds this pod tells the others, through the store, how it is. */
#ifndef WAITINGROOM_API_POD_REPORT_H
#define WAITINGROOM_API_POD_REPORT_H

struct internal;
struct pod_report;

/* On the internal port's loop and store connection; begins at once. gives */
struct pod_report *pod_report_start(struct internal *internal);
const char *pod_report_instance(const struct pod_report *report); /* our name; lends */
/* At the end of the thread: takes the row away, so that nobody looks for a pod that has ended in
 * good order. Frees. */
void pod_report_stop(struct pod_report *report);

#endif
