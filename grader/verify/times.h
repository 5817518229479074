/* Of each check: which mutants failed it, and what it cost. Called by the findings; filled from
 * result documents. */
#pragma once

#include <jansson.h>

/* {"udp.3/asks_once": {"requirement": "udp.3", "failed_by": names of mutants, "clocks": {"virtual":
 * {"real_s": [seconds, …], "judged_s": [seconds, …], "of": [submission, …]}}}}, of those verdicts
 * that a program was run for. */
void times_add(json_t *checks, const char *submission, const char *clock, const json_t *result);
/* The checks that failed are noted as failed by that mutant. */
void times_add_mutant(json_t *checks, const char *mutant, const json_t *result);

/* In place of the lists of seconds: "judged" (how many verdicts), and "real_s" and "judged_s" as
 * {"median", "most", "most_of": submission}. Called last. */
void times_finish(json_t *checks);
