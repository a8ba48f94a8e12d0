import type { Rng } from '../../gateway/kernel/rng.ts';
import { lognormal } from '../model-server/draws.ts';
import type { Length } from '../scenario/scenario.ts';

/** A whole number from 1 with the distribution of a length. */
export function drawLength(length: Length, rng: Rng): number {
  switch (length.kind) {
    case 'fixed':
      return length.count;
    case 'uniform':
      return length.from + rng.below(length.to - length.from + 1);
    case 'lognormal': {
      const drawn = Math.round(length.mean * lognormal(rng, length.variation));
      return Math.min(length.most, Math.max(1, drawn));
    }
  }
}
