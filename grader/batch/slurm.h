/* Slurm, by its own commands: sbatch, squeue.
 *
 * Called by the command line. Knows nothing of what the jobs do. */
#pragma once

#include "grader/base/failure.h"

#include <stdbool.h>
#include <stddef.h>

struct slurm_job {
  const char *name, *script;  /* a file */
  const char *output;         /* where it prints; sbatch's patterns: %a is the task */
  size_t tasks;               /* of an array; 0: it is none */
  unsigned cpus;              /* of a task; 0: Slurm's default */
  long long after;            /* begins when this job has ended, however; 0: at once */
  const char *const *options; /* more of sbatch's; ends with NULL */
};

/* Hands the job over. *id is its number. */
int slurm_submit(const struct slurm_job *job, long long *id, struct failure *failure);
/* Whether any of the jobs is waiting or running; if Slurm does not answer: true, since nobody
 * knows. */
bool slurm_is_live(const long long *ids, size_t count);
