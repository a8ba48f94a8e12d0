import fc from 'fast-check';

/** Whether the full counts are wanted (`npm run verify`) rather than those of a quick run (`npm test`). */
export const isFull: boolean = process.env.HEADGATE_FULL === '1';

// A quick run plays the same histories every time; a full one plays new ones, and names the seed of those that fail.
if (!isFull) fc.configureGlobal({ seed: 1987 });

/** How often to repeat something: fewer in a quick run. */
export function repetitions({ quick, full }: { quick: number; full: number }): number {
  return isFull ? full : quick;
}
