import type { Clock } from '../kernel/clock.ts';

/** What a replica carries at least of what it will carry: with nothing it would never warm up. */
const leastShare = 0.1;

/** Of replicas that join together, the one that is ahead by a moment would win every comparison: within a step they are alike. */
const steps = 10;

/** Lets the share of a replica that has joined or recovered grow in a straight line: its caches are cold, and a full share at once would drown it (Envoy's slow start). */
export class SlowStart {
  readonly #clock: Clock;
  #startedAtMs = 0;
  #lastsMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(lastsMs: number): void {
    this.#startedAtMs = this.#clock.nowMs();
    this.#lastsMs = lastsMs;
  }

  /** When all of its weight is reached, of the clock's `nowMs`; null where it is. */
  get untilMs(): number | null {
    return this.share < 1 ? this.#startedAtMs + this.#lastsMs : null;
  }

  /** Of its weight, from 0.1 to 1, in steps of a tenth. */
  get share(): number {
    if (this.#lastsMs === 0) return 1;
    const share = (this.#clock.nowMs() - this.#startedAtMs) / this.#lastsMs;
    if (share < 1) return Math.max(leastShare, Math.floor(share * steps) / steps);
    this.#lastsMs = 0;
    return 1;
  }
}
