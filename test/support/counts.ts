/** Whether the full counts are wanted (`npm run verify`) rather than those of a quick run (`npm test`). */
export const isFull: boolean = process.env.HEADGATE_FULL === '1';

/** How often to repeat something: fewer in a quick run. */
export function repetitions({ quick, full }: { quick: number; full: number }): number {
  return isFull ? full : quick;
}
