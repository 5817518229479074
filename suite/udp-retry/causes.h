/* Likely causes, chosen by what the checks of this lab saw. */
#pragma once

#include "drops.h"

#include "grader/sdk/wiregrade.h"

/* Why the drops are not independent draws with probability 0.7. */
const char *drops_cause(const struct drops_judgement *judgement, const bool *dropped, size_t count);
/* Why two runs drop alike. */
const char *same_drops_cause(const bool *dropped, size_t count);

/* "0.100, 0.200": of at most a dozen datagrams. */
const char *gaps_text(struct frames sent);
/* Why these are not six datagrams with doubled gaps. */
const char *gaps_cause(struct frames sent);
/* Why a client still runs long after it should have ended, by what it has `sent` to a silent
 * server; NULL if that tells nothing. */
const char *too_long_cause(struct frames sent);
/* Why line `number` (from 0) about waiting names `seconds`; `wait` is right, `next` the one after
 * it. */
const char *announced_cause(size_t number, double seconds, double wait, double next,
                            struct frames sent);
/* Why forged datagrams move the schedule. */
const char *schedule_cause(struct frames calm, struct frames disturbed);
/* Why a forged datagram was taken: who had sent the last one before the client ended? */
const char *forgery_cause(struct program *client, struct address server);
