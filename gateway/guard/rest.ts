import type { Clock } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';
import type { Alarm, TimerWheel } from '../kernel/timer-wheel.ts';

interface Options {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  onBegun(): void;
  onOver(): void;
}

/** Where a replica does not say how long, it is asked again after this. */
const defaultMs = 1_000;

/** Whatever it says, it is asked again after this: one request then tells, and it serves again soon after it can. */
const longestMs = 8_000;

/** Whatever it says, one that goes on declining is left alone for this: what declines at once and comes back at once would draw all requests to itself. */
const shortestMs = 500;

/** Whatever it says, it is asked again so soon after the first time, and after twice as long each time that follows: one refusal among many answers is no reason to do without a replica. */
const firstMs = 100;

/** Beyond that by up to this share, so that not everybody comes back at once. */
const jitterShare = 0.25;

/** The time that a replica has asked for by declining a request (429, 503): until then it gets none, and nothing is held against it. */
export class Rest {
  readonly #options: Options;
  /** Rests since it has last served a request. */
  #inARow = 0;
  #untilMs = 0;
  #alarm: Alarm | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#alarm === null;
  }

  /** Of the clock's `nowMs`; null where it does not rest. */
  get untilMs(): number | null {
    return this.#alarm === null ? null : this.#untilMs;
  }

  /** Begins, or goes on for longer; `askedMs` is what the replica said, null where it did not. */
  begin(askedMs: number | null): void {
    const { clock, wheel, rng } = this.#options;
    // What declines while it rests had been sent before.
    if (this.#alarm === null) this.#inARow += 1;
    const boundedMs = Math.min(
      Math.max(askedMs ?? defaultMs, shortestMs),
      longestMs,
      firstMs * 2 ** (this.#inARow - 1),
    );
    const lastsMs = boundedMs * (1 + rng.next() * jitterShare);
    this.#untilMs = Math.max(this.#untilMs, clock.nowMs() + lastsMs);
    if (this.#alarm !== null) this.#alarm.moveTo(this.#untilMs);
    else this.#alarm = wheel.arm(this.#untilMs, () => this.end());
    this.#options.onBegun();
  }

  /** It has served a request: what it declined before is forgotten. */
  served(): void {
    this.#inARow = 0;
  }

  /** Ends it before its time. */
  end(): void {
    if (this.#alarm === null) return;
    this.close();
    this.#options.onOver();
  }

  /** No more is kept of it, and nobody is told. */
  close(): void {
    this.#alarm?.disarm();
    this.#alarm = null;
    this.#untilMs = 0;
  }
}
