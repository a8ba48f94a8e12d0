import { seededRng } from '../../gateway/kernel/rng.ts';
import type { Choice } from '../scenario/scenario.ts';
import { zipfOf } from './zipf.ts';

/** The key of a request by its index. Requests with equal keys have equal payloads. */
export function keysOf(choice: Choice, seed: number): (index: number) => number {
  if (choice.kind === 'same') return () => 0;
  if (choice.kind !== 'zipf') return (index) => index;
  const draw = zipfOf(choice.exponent, choice.keys);
  return (index) => draw(seededRng(seed + index));
}
