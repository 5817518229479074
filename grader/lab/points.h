/* Dividing points into whole numbers, so that no report ever shows a fraction and nothing is lost
 * by rounding. Called by lab (points of a requirement) and result (points of a check). */
#pragma once

#include <stddef.h>

/* Divides `total` in proportion to `weights` by the method of the largest remainder; of equal
 * remainders the first gets more. The shares add up to `total`, unless all weights are 0: then each
 * share is 0. */
void points_divide(unsigned total, const unsigned *weights, size_t count, unsigned *shares);
