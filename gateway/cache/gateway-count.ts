import type { Clock, Timer } from '../kernel/clock.ts';
import { newRequestId, type Rng } from '../kernel/rng.ts';

/** Where all gateways write down that they are present. It never fails: undefined where it is not asked, or does not answer in time. */
export interface Roll {
  /** Says that a gateway is present, and that those are gone that said nothing for so long. */
  call(name: string, goneAfterMs: number): undefined | Promise<RollAnswer | undefined>;
  leave(name: string): undefined | Promise<unknown>;
}

/** How many gateways are present, and whether the one that says so was not among them. */
export interface RollAnswer {
  readonly gateways: number;
  readonly isNew: boolean;
}

interface Options {
  readonly roll: Roll;
  readonly clock: Clock;
  readonly rng: Rng;
}

const everyMs = 1_000;
const goneAfterMs = 5_000;

/** How many gateways there are: what the dispatcher divides credits by. */
export class GatewayCount {
  readonly #options: Options;
  readonly #name = newRequestId();
  #timer: Timer;
  #gateways = 1;
  /** Until then others may be missing, of the clock's `nowMs`: the roll was lost, or they could not be heard either. */
  #incompleteUntilMs = 0;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#timer = this.#callAfter(everyMs * options.rng.next());
  }

  /** The last that was heard, this one included; 1 before anything was. */
  get gateways(): number {
    return this.#gateways;
  }

  /** Tells the others that this one goes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.cancel();
    await this.#options.roll.leave(this.#name);
  }

  /** Not at the same moments as the others. */
  #callAfter(delayMs: number): Timer {
    return this.#options.clock.after(delayMs, () => void this.#call());
  }

  async #call(): Promise<void> {
    const { roll, clock, rng } = this.#options;
    const answer = await roll.call(this.#name, goneAfterMs);
    if (this.#isClosed) return;
    const nowMs = clock.nowMs();
    if (answer === undefined || answer.isNew) this.#incompleteUntilMs = nowMs + goneAfterMs;
    if (answer !== undefined && (answer.gateways > this.#gateways || nowMs >= this.#incompleteUntilMs))
      this.#gateways = answer.gateways;
    this.#timer = this.#callAfter(everyMs * (0.75 + rng.next() / 2));
  }
}
