import type { Clock, Timer } from './clock.ts';

/** The longest delay Node's timers know; beyond it they would call at once. */
const longestMs = 2 ** 31 - 1;

/** The machine's own time. The only file that touches timers, `Date.now` and `performance.now`. A delay of more than 24 days is cut to that. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs: number, call: () => void): Timer {
    const handle = setTimeout(call, timerMs(delayMs));
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, timerMs(delayMs))),
};

/** Node cuts fractions off, and would call early; of a delay below 0 it warns. */
function timerMs(delayMs: number): number {
  return Math.max(0, Math.min(Math.ceil(delayMs), longestMs));
}

/** Runs a call once the events now waiting have been handled: how what they all have to say is passed on together. */
export function afterPendingEvents(call: () => void): void {
  setImmediate(call);
}

/** Runs a call as soon as the system has been asked for events and had none: at that moment everything that has come has been handled. A process that is never idle does so after `turnsLeft` turns all the same. */
export function afterQuietTurn(call: () => void, turnsLeft = 1000): void {
  const { events } = performance.nodeTiming.uvMetricsInfo;
  setImmediate(() => {
    if (turnsLeft <= 0 || performance.nodeTiming.uvMetricsInfo.events === events) call();
    else afterQuietTurn(call, turnsLeft - 1);
  });
}
