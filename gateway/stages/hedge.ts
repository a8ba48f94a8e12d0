import type { Hedging } from '../balance/backend.ts';
import type { Lease } from '../balance/lease.ts';
import type { Replica } from '../balance/replica.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import { FailedTry } from './failed-try.ts';
import { type TryParts, tryOnce } from './try-once.ts';

/** Above this share of their slots, now or of late, replicas have nothing to spare for a second try of the same work. */
const mostUtilisation = 0.7;

type Ended = Reply | FailedTry;

/** What hedged tries need. */
interface HedgeParts extends TryParts {
  readonly wheel: TimerWheel;
  readonly hedging: Hedging;
}

/**
 * A try, and a second one on another replica where its answer has not begun after a while (Dean and Barroso, "The tail at scale", 2013).
 * The first answer is taken; the other try is aborted, and blames nobody but a replica on probation. Adds to `spent` the replica that got the second.
 */
export async function tryHedged(exchange: Exchange, lease: Lease, spent: Replica[], parts: HedgeParts): Promise<Ended> {
  const { hedging } = parts;
  hedging.budget.deposit();
  hedging.utilisation.add(utilisationOf(exchange.choice.backend.replicas));
  const delayMs = mayHedge(exchange) ? hedging.delayMs() : null;
  if (delayMs === null) {
    return tryOnce({ exchange, lease, kind: 'first', cancellation: exchange.cancellation }, parts);
  }
  return new Race(exchange, spent, parts).run(lease, delayMs);
}

function mayHedge({ choice: { backend }, head }: Exchange): boolean {
  const isRepeatable = backend.retrying.isIdempotent || head.method === 'GET';
  return isRepeatable && headerOf(head.headers, 'x-headgate-class')?.toLowerCase() !== 'batch';
}

/** One of the tries that run beside each other. */
interface Runner {
  readonly cancellation: Cancellation;
  readonly startedAtMs: number;
  readonly unlink: () => void;
}

/** Two tries for one exchange, of which the first that is answered counts. */
class Race {
  readonly #exchange: Exchange;
  readonly #spent: Replica[];
  readonly #parts: HedgeParts;
  readonly #runners = new Set<Runner>();
  readonly #result = Promise.withResolvers<Ended>();
  #hasEnded = false;

  constructor(exchange: Exchange, spent: Replica[], parts: HedgeParts) {
    this.#exchange = exchange;
    this.#spent = spent;
    this.#parts = parts;
  }

  async run(lease: Lease, delayMs: number): Promise<Ended> {
    const { wheel, clock } = this.#parts;
    const alarm = wheel.arm(clock.nowMs() + delayMs, () => this.#second(lease.replica));
    this.#start(lease, 'first');
    try {
      return await this.#result.promise;
    } finally {
      alarm.disarm();
    }
  }

  #second(notThis: Replica): void {
    const { cancellation, choice } = this.#exchange;
    const { backend } = choice;
    const { hedging } = this.#parts;
    const used = Math.max(hedging.utilisation.mean, utilisationOf(backend.replicas));
    this.#exchange.expire(this.#parts.clock);
    // What has been cancelled this instant still runs: its end is told a little later.
    if (this.#runners.size === 0 || cancellation.reason !== null || used > mostUtilisation) return;
    // What finds no replica has used up its share of the budget nevertheless: where none is free, fewer shall be looked for.
    if (!hedging.budget.withdraw()) return;
    const lease = backend.dispatcher.tryTake(this.#exchange, [notThis]);
    if (lease === null) return;
    this.#spent.push(lease.replica);
    this.#start(lease, 'hedge');
  }

  #start(lease: Lease, kind: 'first' | 'hedge'): void {
    const own = new Cancellation();
    const { cancellation } = this.#exchange;
    const pass = (reason: GatewayError): void => own.cancel(reason);
    const runner: Runner = {
      cancellation: own,
      startedAtMs: this.#parts.clock.nowMs(),
      unlink: () => cancellation.off(pass),
    };
    this.#runners.add(runner);
    cancellation.onCancel(pass);
    const one = { exchange: this.#exchange, lease, kind, cancellation: own };
    tryOnce(one, this.#parts).then(
      (ended) => this.#ended(runner, ended),
      (error) => this.#failed(runner, error),
    );
  }

  #ended(runner: Runner, ended: Ended): void {
    this.#runners.delete(runner);
    if (this.#hasEnded) {
      if (ended instanceof FailedTry) ended.drop();
      else ended.body.discard();
      return;
    }
    // A failure counts only when nobody is left who could do better.
    if (ended instanceof FailedTry && this.#runners.size > 0) {
      runner.unlink();
      ended.drop();
      return;
    }
    this.#settle(runner);
    this.#result.resolve(ended);
  }

  #failed(runner: Runner, error: unknown): void {
    this.#runners.delete(runner);
    runner.unlink();
    if (this.#hasEnded || this.#runners.size > 0) return;
    this.#settle(runner);
    this.#result.reject(error);
  }

  /** Ends those that have lost. What they took until now is a time, too: left out, only fast answers would be counted. */
  #settle(winner: Runner): void {
    this.#hasEnded = true;
    for (const { cancellation, startedAtMs, unlink } of this.#runners) {
      unlink();
      this.#parts.hedging.observe(this.#parts.clock.nowMs() - startedAtMs);
      const code = startedAtMs < winner.startedAtMs ? 'overtaken' : 'superseded';
      cancellation.cancel(new GatewayError(code, 'another try of the same request was answered first'));
    }
  }
}

/** 0 where not every replica's slots are known: there the budget alone keeps hedges few. */
function utilisationOf(replicas: readonly Replica[]): number {
  let inFlight = 0;
  let slots = 0;
  for (const replica of replicas) {
    if (replica.slots === null) return 0;
    if (!replica.state.isAvailable) continue;
    inFlight += replica.slot.inFlight;
    slots += replica.slots;
  }
  return slots === 0 ? 0 : inFlight / slots;
}
