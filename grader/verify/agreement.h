/* Whether verdicts agree: those of one submission in each run, and on both clocks. Called by the
 * findings; filled from result documents. */
#pragma once

#include <jansson.h>

/* {"udp/twice": {"udp.3/asks_once": {"real": {"fail": {"runs": [1, 2], "message", "late_s": of the
 * first}}}}}; `late_s` is how late the machine woke a process meanwhile. */
void agreement_add(json_t *verdicts, const char *submission, const char *clock, unsigned run,
                   double late_s, const json_t *result);

/* Of each submission, check and clock the most frequent verdict is taken for the right one:
 * {"verdicts": how many there were, "changed": how many were another one, "list": [{"submission",
 * "clock", "check", "verdicts": {"pass": {"runs", "message"}, …}}], "checks": {"udp.3/asks_once":
 * {"verdicts", "changed"}}}. Each entry of the list is a deviation. */
json_t *agreement_of_runs(const json_t *verdicts, json_t *deviations);

/* {"compared": how many, "differ": how many of them, "list": [{"submission", "check", "virtual",
 * "real": the most frequent verdicts, "message": of the one that did not pass, "late_s"}]}. Each
 * entry of the list is a deviation. */
json_t *agreement_of_clocks(const json_t *verdicts, json_t *deviations);
