import type { Ending, LeaseName, Leases, Taken } from '../../../gateway/cache/leases.ts';
import type { Rng } from '../../../gateway/kernel/rng.ts';
import type { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';

/** What is wrong with a board of leases. Each is asked anew for every command. */
export interface Trouble {
  /** Commands are not sent. */
  readonly isAway?: boolean;
  /** Commands are not carried out until it is over, and nobody hears what came of them. */
  readonly isFrozen?: boolean;
  /** The share of commands whose answer is lost, whether or not they were carried out. */
  readonly lostShare?: number;
  /** The share of what is published that one listener does not hear. */
  readonly unheardShare?: number;
}

interface Held {
  readonly token: string;
  readonly untilMs: number;
}

type Hear = (ending: Ending | null) => void;

const unshareable = '-';

/** Leases on a clock, as a Redis keeps them, for the gateways of a simulation; what is to go wrong with them goes wrong. */
export class LeaseBoard {
  trouble: Trouble = {};
  readonly waitMs = 50;
  readonly #clock: VirtualClock;
  readonly #rng: Rng;
  readonly #held = new Map<string, Held>();
  readonly #listeners = new Map<string, Set<Hear>>();

  constructor(clock: VirtualClock, rng: Rng) {
    this.#clock = clock;
    this.#rng = rng;
  }

  /** Forgets all leases. */
  flush(): void {
    this.#held.clear();
  }

  /** Whoever listens is told that it may have missed something. */
  breakListening(): void {
    for (const hear of [...this.#listeners.values()].flatMap((all) => [...all])) hear(null);
  }

  /** Nobody listens. */
  get isQuiet(): boolean {
    return this.#listeners.size === 0;
  }

  /** As one of the gateways sees it; its clock's timers are what it waits on. */
  newView(): Leases {
    return {
      take: (lease, forMs) => this.#ask(() => this.#take(lease, forMs)),
      renew: (lease, forMs) => this.#ask(() => this.#renew(lease, forMs)),
      end: (lease, ending, rememberMs) => this.#ask(() => this.#end(lease, ending, rememberMs)),
      watch: (key, hear) => this.#watch(key, hear),
      close: () => {},
    };
  }

  /** Half of the way there, half of the way back. */
  #ask<Answer>(command: () => Answer): undefined | Promise<Answer | undefined> {
    if (this.trouble.isAway) return undefined;
    const halfMs = this.#rng.next() * 2;
    const isAnswerLost = this.#rng.next() < (this.trouble.lostShare ?? 0);
    const isLost = isAnswerLost && this.#rng.next() < 0.5;
    return new Promise((resolve) => {
      const slow = this.#clock.after(this.waitMs, () => resolve(undefined));
      const carryOut = (): void => {
        if (isLost) return;
        if (this.trouble.isFrozen) {
          this.#clock.after(10, carryOut);
          return;
        }
        const answer = command();
        if (isAnswerLost) return;
        this.#clock.after(halfMs, () => {
          slow.cancel();
          resolve(answer);
        });
      };
      this.#clock.after(halfMs, carryOut);
    });
  }

  #holder(key: string): string | null {
    const held = this.#held.get(key);
    return held !== undefined && this.#clock.nowMs() < held.untilMs ? held.token : null;
  }

  #hold({ key, token }: LeaseName, forMs: number): void {
    this.#held.set(key, { token, untilMs: this.#clock.nowMs() + forMs });
  }

  #take(lease: LeaseName, forMs: number): Taken {
    const holder = this.#holder(lease.key);
    if (holder !== null) return holder === unshareable ? 'unshareable' : 'held';
    this.#hold(lease, forMs);
    return 'taken';
  }

  #renew(lease: LeaseName, forMs: number): boolean {
    if (this.#holder(lease.key) !== lease.token) return false;
    this.#hold(lease, forMs);
    return true;
  }

  #end({ key, token }: LeaseName, ending: Ending, rememberMs: number): boolean {
    const isHeld = this.#holder(key) === token;
    if (isHeld || ending === 'stored') this.#publish(key, ending);
    if (isHeld && ending === 'unshareable') this.#hold({ key, token: unshareable }, rememberMs);
    else if (isHeld) this.#held.delete(key);
    return isHeld;
  }

  #publish(key: string, ending: Ending): void {
    for (const hear of this.#listeners.get(key) ?? []) {
      if (this.#rng.next() < (this.trouble.unheardShare ?? 0)) continue;
      this.#clock.after(this.#rng.next() * 3, () => {
        if (this.#listeners.get(key)?.has(hear)) hear(ending);
      });
    }
  }

  #watch(key: string, hear: Hear): () => void {
    const timer = this.#clock.after(this.#rng.next() * 4, () => {
      if (this.trouble.isFrozen || this.trouble.isAway) return;
      this.#listeners.set(key, (this.#listeners.get(key) ?? new Set()).add(hear));
      hear(null);
    });
    return () => {
      timer.cancel();
      const listeners = this.#listeners.get(key);
      listeners?.delete(hear);
      if (listeners?.size === 0) this.#listeners.delete(key);
    };
  }
}
