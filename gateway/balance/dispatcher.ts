import type { Place, WaitingLine } from '../admission/waiting-line.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Alarm, TimerWheel } from '../kernel/timer-wheel.ts';
import { collectEligible, isAnyInProspect } from './eligible.ts';
import { Lease } from './lease.ts';
import { isNonEmpty, type Policy } from './policy.ts';
import type { Replica } from './replica.ts';
import type { Work } from './work.ts';

/** What somebody who wants a replica must show. An exchange is one. */
export interface Wish {
  readonly work: Work;
  readonly cancellation: Cancellation;
  /** Of the clock's `nowMs`; Infinity for none. The cancellation fires when it has passed, at the latest one tick later. */
  readonly deadlineMs: number;
}

/** Somebody in the line. */
export interface Waiter {
  readonly wish: Wish;
  readonly notThese: readonly Replica[];
  readonly alarm: Alarm;
  give(lease: Lease): void;
  refuse(error: GatewayError): void;
}

interface Options {
  readonly backendName: string;
  readonly replicas: readonly Replica[];
  readonly policy: Policy;
  readonly line: WaitingLine<Waiter>;
  readonly queueWaitMs: number;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** A lease was released a second time: a fault of ours, counted in production and fatal in tests. */
  onSecondRelease(lease: Lease): void;
}

const nobody: readonly Replica[] = [];
const retryAfterMs = 1000;

/** Turns a wish for one of a backend's replicas into a lease. Waiting for a credit, picking and leasing are one step, so that no two wishes take the same credit. */
export class Dispatcher {
  readonly #options: Options;
  readonly #eligible: Replica[] = [];
  readonly #watcher = {
    released: (): void => this.#serveLine(),
    releasedTwice: (lease: Lease): void => this.#options.onSecondRelease(lease),
  };

  constructor(options: Options) {
    this.#options = options;
    for (const replica of options.replicas) replica.changed.subscribe(() => this.#serveLine());
  }

  /** Wishes in the line. */
  get waitingCount(): number {
    return this.#options.line.length;
  }

  /** A lease at once where a replica has a credit and nobody waits before; else a place in the line. Who comes back after a failure (`notThese`) waits at its head. */
  take(wish: Wish, notThese: readonly Replica[] = nobody): Lease | Promise<Lease> {
    wish.cancellation.throwIfCancelled();
    const lease = this.#options.line.length === 0 || notThese.length > 0 ? this.tryTake(wish, notThese) : null;
    if (lease !== null) return lease;
    const refusal = this.#refusalToWait(notThese);
    if (refusal !== null) throw refusal;
    return this.#wait(wish, notThese);
  }

  /** A lease if one is to be had this instant, past the line; for extra tries that must not wait. */
  tryTake(wish: Wish, notThese: readonly Replica[] = nobody): Lease | null {
    const eligible = this.#eligible;
    collectEligible(this.#options.replicas, notThese, eligible);
    while (isNonEmpty(eligible)) {
      const replica = this.#options.policy.pick(eligible, wish.work);
      const permit = replica.gate.enter();
      if (permit !== null) return new Lease(replica, replica.meter.begin(wish.work), permit, this.#watcher);
      eligible.splice(eligible.indexOf(replica), 1);
    }
    return null;
  }

  /** Why a wish made now could not be served however long it waited, or null. A full line turns away newcomers only. */
  refusal(notThese: readonly Replica[] = nobody): GatewayError | null {
    const refusal = this.#refusalToWait(notThese);
    if (refusal === null || this.#options.line.length > 0) return refusal;
    // A line in which nobody may wait is always full, but need not hold anybody up.
    return this.#isAnyEligible(notThese) ? null : refusal;
  }

  #isAnyEligible(notThese: readonly Replica[]): boolean {
    collectEligible(this.#options.replicas, notThese, this.#eligible);
    return this.#eligible.length > 0;
  }

  #refusalToWait(notThese: readonly Replica[]): GatewayError | null {
    const { backendName, replicas, line } = this.#options;
    if (!isAnyInProspect(replicas, notThese)) return noneEligible(backendName);
    if (!line.isFull || notThese.length > 0) return null;
    const message = `backend ${backendName}: all replicas are busy and ${line.length} requests wait already`;
    return new GatewayError('queue_full', message, { retryAfterMs });
  }

  #wait(wish: Wish, notThese: readonly Replica[]): Promise<Lease> {
    const { line, wheel, clock, queueWaitMs, backendName } = this.#options;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        place?.leave();
        waiter.alarm.disarm();
        wish.cancellation.off(waiter.refuse);
      };
      const waiter: Waiter = {
        wish,
        notThese,
        alarm: wheel.arm(clock.nowMs() + queueWaitMs, () => waiter.refuse(waitedTooLong(backendName, queueWaitMs))),
        give: (lease) => {
          leave();
          resolve(lease);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const place: Place<Waiter> | null = notThese.length > 0 ? line.joinAtHead(waiter) : line.join(waiter);
      wish.cancellation.onCancel(waiter.refuse);
      // Whoever is ahead may be waiting for a replica that this one may not have, or the other way round.
      this.#serveLine();
    });
  }

  /** Hands what has become free to those who wait, in order; somebody who may not have a free replica does not hold up those behind. */
  #serveLine(): void {
    const { line, replicas, backendName, clock } = this.#options;
    if (line.length === 0) return;
    const nowMs = clock.nowMs();
    for (const { item: waiter } of line) {
      // Its cancellation is about to fire: a replica would work for nobody.
      if (waiter.wish.deadlineMs <= nowMs) continue;
      const lease = this.tryTake(waiter.wish, waiter.notThese);
      if (lease !== null) waiter.give(lease);
      else if (!isAnyInProspect(replicas, waiter.notThese)) waiter.refuse(noneEligible(backendName));
      else if (waiter.notThese.length === 0) return;
    }
  }
}

function noneEligible(backendName: string): GatewayError {
  return new GatewayError('none_eligible', `backend ${backendName}: no replica can take requests now`, {
    retryAfterMs,
  });
}

function waitedTooLong(backendName: string, queueWaitMs: number): GatewayError {
  const message = `backend ${backendName}: no replica came free within ${queueWaitMs} ms`;
  return new GatewayError('queue_timeout', message, { retryAfterMs });
}
