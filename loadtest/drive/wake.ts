import type { Clock } from '../../gateway/kernel/clock.ts';
import { afterPendingEvents } from '../../gateway/kernel/system-clock.ts';

/** Calls at an instant of the clock, never before; at once, but not within this call, where it has passed. */
export type WakeAt = (atMs: number, call: () => void) => void;

/** Node's timers come up to a millisecond late, and are set in whole ones: within so much of an instant nothing is left to them. */
const finalMs = 2;

/**
 * Wakes on the instant: the last two milliseconds are spent going round the event loop, which handles what comes meanwhile. That costs a
 * processor where instants follow close on each other, and buys a lag of microseconds where a timer's would be a millisecond.
 */
export function punctualWake(clock: Clock): WakeAt {
  return (atMs, call) => {
    const turn = (): void => {
      const leftMs = atMs - clock.nowMs();
      if (leftMs <= 0) call();
      else if (leftMs <= finalMs) afterPendingEvents(turn);
      else clock.after(leftMs - finalMs, turn);
    };
    afterPendingEvents(turn);
  };
}
