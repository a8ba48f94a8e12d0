import type { Clock, Timer } from '../kernel/clock.ts';
import type { Ending, LeaseName, Leases } from './leases.ts';

interface Options {
  readonly leases: Leases;
  readonly name: LeaseName;
  /** How long it lasts when it is not renewed. */
  readonly leaseMs: number;
  /** No longer than until then is it renewed, of the clock's `nowMs`: whoever holds it is to have ended it. */
  readonly untilMs: number;
  readonly clock: Clock;
  /** Called once, when nothing more is to be done for it. */
  readonly onGone: () => void;
}

const endAgainAfterMs = 500;

/** A lease that we hold, renewed until it is ended. */
export class HeldLease {
  readonly #options: Options;
  #ending: Ending | null = null;
  #timer: Timer | null = null;
  /** By then it has come to its end by itself. */
  #overAtMs = Number.POSITIVE_INFINITY;
  #isGone = false;

  constructor(options: Options) {
    this.#options = options;
    this.#renewLater();
  }

  /** Gives it back and says what came of the work: what was stored must be in the store by now. The first call counts. */
  end(ending: Ending): void {
    const { clock, leaseMs } = this.#options;
    if (this.#ending !== null) return;
    this.#ending = ending;
    this.#overAtMs = clock.nowMs() + leaseMs;
    this.#timer?.cancel();
    void this.#tell(ending);
  }

  /** Lets go of it without a word; it comes to its end by itself. */
  close(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#timer?.cancel();
    this.#options.onGone();
  }

  #renewLater(): void {
    const { clock, leaseMs, untilMs } = this.#options;
    this.#timer = clock.after(leaseMs / 3, () => {
      if (clock.nowMs() < untilMs) void this.#renew();
    });
  }

  async #renew(): Promise<void> {
    const { leases, name, leaseMs } = this.#options;
    const isHeld = await leases.renew(name, leaseMs);
    // What is not known to be lost may still be held.
    if (isHeld !== false && this.#ending === null && !this.#isGone) this.#renewLater();
  }

  /** Others wait for it: where it was not heard, it is said again. */
  async #tell(ending: Ending): Promise<void> {
    const { leases, name, leaseMs, clock } = this.#options;
    const isHeard = (await leases.end(name, ending, leaseMs)) !== undefined;
    if (this.#isGone) return;
    if (isHeard || clock.nowMs() + endAgainAfterMs > this.#overAtMs) this.close();
    else this.#timer = clock.after(endAgainAfterMs, () => void this.#tell(ending));
  }
}
