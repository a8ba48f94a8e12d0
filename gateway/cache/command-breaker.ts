import type { Clock } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';

const mostFailuresInARow = 5;
const firstPauseMs = 500;
const longestPauseMs = 2_000;

/** Stops asking one that does not answer. After a pause, longer each time, one command is let through, and what comes of it decides. */
export class CommandBreaker {
  readonly #clock: Clock;
  readonly #rng: Rng;
  #failuresInARow = 0;
  #pauseMs = firstPauseMs;
  #pausedUntilMs = 0;

  constructor(clock: Clock, rng: Rng) {
    this.#clock = clock;
    this.#rng = rng;
  }

  /** Whether a command may be sent now. Of those that would follow a pause, the first may. */
  enter(): boolean {
    if (this.#failuresInARow < mostFailuresInARow) return true;
    if (this.#clock.nowMs() < this.#pausedUntilMs) return false;
    this.#pause();
    return true;
  }

  succeeded(): void {
    this.#failuresInARow = 0;
    this.#pauseMs = firstPauseMs;
  }

  failed(): void {
    this.#failuresInARow += 1;
    if (this.#failuresInARow === mostFailuresInARow) this.#pause();
  }

  /** Between half and the whole of its time, so that several gateways do not come back together. */
  #pause(): void {
    this.#pausedUntilMs = this.#clock.nowMs() + this.#pauseMs * (0.5 + this.#rng.next() / 2);
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
  }
}
