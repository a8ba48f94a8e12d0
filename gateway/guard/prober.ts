import type { Clock, Timer } from '../kernel/clock.ts';

interface Options {
  /** Resolves with null when the replica is well, else with what is wrong with it. Never rejects, and ends by itself in time. */
  check(): Promise<string | null>;
  /** Told after every check what the checks so far amount to. */
  tell(isReady: boolean, reason: string): void;
  readonly everyMs: number;
  /** Failed checks in a row that make a ready replica unready. */
  readonly failuresToUnready: number;
  /** Passed checks in a row that make an unready replica ready. */
  readonly successesToReady: number;
  /** Where in the interval its checks fall, so that those of many replicas are spread: 0 to 1. */
  readonly phaseShare: number;
  readonly clock: Clock;
}

/** Checks one replica's health over and over. The first check after a start decides alone; later ones need some in a row to change the verdict. */
export class Prober {
  readonly #options: Options;
  #isReady: boolean | null = null;
  #inARow = 0;
  #timer: Timer | null = null;
  #isRunning = false;
  /** Tells a check that began before the last start or stop from one that still counts. */
  #epoch = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether it checks: it has been started and not stopped since. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Forgets what was known and checks at once. */
  start(): void {
    this.stop();
    this.#isRunning = true;
    this.#isReady = null;
    this.#inARow = 0;
    const { everyMs, phaseShare } = this.#options;
    void this.#run(this.#epoch, everyMs * (1 - phaseShare / 2));
  }

  /** No more checks; the result of one under way is not told. */
  stop(): void {
    this.#isRunning = false;
    this.#epoch += 1;
    this.#timer?.cancel();
  }

  close(): void {
    this.stop();
  }

  async #run(epoch: number, nextInMs: number): Promise<void> {
    const fault = await this.#options.check();
    if (epoch !== this.#epoch) return;
    this.#judge(fault);
    this.#timer = this.#options.clock.after(nextInMs, () => this.#run(epoch, this.#options.everyMs));
  }

  #judge(fault: string | null): void {
    const { failuresToUnready, successesToReady, tell } = this.#options;
    const isWell = fault === null;
    if (this.#isReady === null) this.#isReady = isWell;
    else if (isWell === this.#isReady) this.#inARow = 0;
    else {
      this.#inARow += 1;
      if (this.#inARow < (isWell ? successesToReady : failuresToUnready)) return;
      this.#isReady = isWell;
    }
    this.#inARow = 0;
    tell(this.#isReady, fault ?? 'passed its health check');
  }
}
