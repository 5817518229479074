/* wiregrade batch --slurm: a batch whose submissions are graded by Slurm's nodes. Called by batch.c
 * of this folder. */
#pragma once

#include "grader/batch/batch.h"

struct batch_slurm {
  const char *executable;
  const char *out;    /* absolute, and shared by all nodes */
  const char *course; /* NULL */
  unsigned chunk;     /* submissions of a task */
  unsigned jobs, limit_s;
  const char *const *options; /* of sbatch; ends with NULL */
  const char *assignment;
};

/* What a process of a job does; the spec's as for batch_task. Exit statuses. */
int batch_slurm_task(const struct batch_slurm *slurm, const struct batch_spec *spec);
int batch_slurm_merge(const struct batch_slurm *slurm, const struct batch_spec *spec);
/* Hands the batch over, unless jobs of it are there still, and follows them until all is merged or
 * the person has seen enough. 0, or an exit status. */
int batch_slurm_run(const struct batch_slurm *slurm, const struct batch_spec *spec);
