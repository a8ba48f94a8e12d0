import type { Clock, Timer } from './clock.ts';

/** The machine's own time. The only file that touches timers, `Date.now` and `performance.now`. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs: number, call: () => void): Timer {
    const handle = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

/** Runs a call once the events now waiting have been handled: how the worker lets requests queue before it takes a batch. */
export function afterPendingEvents(call: () => void): void {
  setImmediate(call);
}
