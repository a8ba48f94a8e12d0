import type { Budget } from '../balance/backend.ts';
import type { Clock } from '../kernel/clock.ts';
import { TokenBucket } from '../kernel/token-bucket.ts';

interface Options {
  /** Extra tries for each request, on average over the window. */
  readonly share: number;
  /** So many are allowed nevertheless, for backends with little traffic. */
  readonly floorPerSecond: number;
  readonly clock: Clock;
}

const windowSeconds = 10;

/** Extra tries as a share of requests, over ten seconds (Finagle's RetryBudget): however much fails, the load on a backend grows by that share at most. */
export class RetryBudget implements Budget {
  readonly #share: number;
  readonly #clock: Clock;
  readonly #floor: TokenBucket;
  readonly #requests = new Uint32Array(windowSeconds);
  readonly #extra = new Uint32Array(windowSeconds);
  #requestsInWindow = 0;
  #extraInWindow = 0;
  #second: number;

  constructor({ share, floorPerSecond, clock }: Options) {
    this.#share = share;
    this.#clock = clock;
    this.#floor = new TokenBucket({ ratePerSecond: floorPerSecond, burst: Math.ceil(floorPerSecond), clock });
    this.#second = Math.floor(clock.nowMs() / 1000);
  }

  deposit(): void {
    const at = this.#turn();
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
    this.#requestsInWindow += 1;
  }

  withdraw(): boolean {
    const at = this.#turn();
    if (this.#extraInWindow + 1 > this.#share * this.#requestsInWindow) return this.#floor.take();
    this.#extra[at] = (this.#extra[at] ?? 0) + 1;
    this.#extraInWindow += 1;
    return true;
  }

  /** Forgets the seconds that have left the window; gives the place of the present one. */
  #turn(): number {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    const passed = Math.min(windowSeconds, second - this.#second);
    for (let n = 1; n <= passed; n++) {
      const at = (this.#second + n) % windowSeconds;
      this.#requestsInWindow -= this.#requests[at] ?? 0;
      this.#extraInWindow -= this.#extra[at] ?? 0;
      this.#requests[at] = 0;
      this.#extra[at] = 0;
    }
    this.#second = second;
    return second % windowSeconds;
  }
}
