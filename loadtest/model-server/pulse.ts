import type { Timer } from '../../gateway/kernel/clock.ts';
import type { Engine } from './load.ts';

/** The time an engine goes by. */
export interface PulseClock {
  nowMs(): number;
  after(delayMs: number, call: () => void): Timer;
}

/** Far below what any timer keeps to, far above what rounding makes of an instant. */
const roundingMs = 1e-6;

/** Moves an engine along with a clock: one timer, at the instant at which something is due next. */
export class Pulse {
  readonly #clock: PulseClock;
  readonly #engine: Engine;
  readonly #beat = (): void => {
    const nowMs = this.#clock.nowMs();
    // A clock that has gone long counts in coarser steps than an engine that began late: less than a step would be waited for in vain.
    const isNow = Math.abs(this.#armedForMs - nowMs) < roundingMs;
    const reachedMs = isNow ? this.#armedForMs : nowMs;
    this.#timer = null;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.#engine.advance(reachedMs);
    this.rearm();
  };
  #timer: Timer | null = null;
  #armedForMs = Number.POSITIVE_INFINITY;

  constructor(clock: PulseClock, engine: Engine) {
    this.#clock = clock;
    this.#engine = engine;
  }

  /** To be called when something was asked of the engine: what is due next may have come nearer. */
  rearm(): void {
    const dueAtMs = this.#engine.nextAtMs;
    if (dueAtMs >= this.#armedForMs) return;
    this.#timer?.cancel();
    this.#armedForMs = dueAtMs;
    this.#timer = this.#clock.after(dueAtMs - this.#clock.nowMs(), this.#beat);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#armedForMs = Number.NEGATIVE_INFINITY;
  }
}
