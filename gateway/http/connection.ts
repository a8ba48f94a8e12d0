import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';

/** The two ends of one request on Node's server. */
export interface Connection {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Where waiting takes its time from. */
export interface Time {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}
