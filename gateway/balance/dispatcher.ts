import type { WaitingLine } from '../admission/waiting-line.ts';
import { freePermit } from '../guard/gate.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import type { GatewayError } from '../kernel/errors.ts';
import type { Alarm, TimerWheel } from '../kernel/timer-wheel.ts';
import { type Deciding, type Decision, type DecisionWatch, explain } from './decision.ts';
import { compareAlike, compareSlots, Eligible, isAnyInProspect } from './eligible.ts';
import { Lease } from './lease.ts';
import type { Patience } from './patience.ts';
import { isNonEmpty, type Policy } from './policy.ts';
import { lineFull, noneEligible, waitedTooLong } from './refusals.ts';
import type { Replica } from './replica.ts';
import { serveLine, type Turn } from './serve-line.ts';
import type { Work } from './work.ts';

/** What somebody who wants a replica must show. An exchange is one. */
export interface Wish {
  readonly work: Work;
  readonly cancellation: Cancellation;
  /** Of the clock's `nowMs`; Infinity for none. The cancellation fires when it has passed, at the latest one tick later. */
  readonly deadlineMs: number;
  /** Whether its lease shall tell why it is on the replica that it is on. */
  readonly wantsExplanation: boolean;
}

/** Somebody in the line. */
export interface Waiter {
  /** Whom it came to, and by whose replicas and policy it is served. */
  readonly dispatcher: Dispatcher;
  readonly wish: Wish;
  readonly notThese: readonly Replica[];
  readonly sinceMs: number;
  readonly alarm: Alarm;
  give(lease: Lease): void;
  refuse(error: GatewayError): void;
}

interface Options {
  readonly backendName: string;
  readonly replicas: readonly Replica[];
  readonly policy: Policy;
  /** As the YAML names it: a policy with a signal. */
  readonly policyName: string;
  /** Shared with the dispatchers that the same backend had before and will have: a line outlives a reload. */
  readonly line: WaitingLine<Waiter>;
  readonly queue: { readonly maxLength: number; readonly waitMs: number };
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly decisions: DecisionWatch;
  /** A lease was released a second time: a fault of ours, counted in production and fatal in tests. */
  onSecondRelease(lease: Lease): void;
}

const nobody: readonly Replica[] = [];

/** Turns a wish for one of a backend's replicas into a lease. Waiting for a credit, picking and leasing are one step, so that no two wishes take the same credit. */
export class Dispatcher {
  readonly #options: Options;
  readonly #eligible = new Eligible();
  readonly #undo: readonly (() => void)[];
  /** Of the wishes in the line, those that came to this dispatcher. */
  #waiting = 0;
  /** Looks at the line again when something has not come that was waited for. */
  #review: Alarm | null = null;
  readonly #watcher = {
    // Whoever else knows the replica may have somebody waiting for it, too.
    released: ({ replica }: Lease): void => replica.changed.publish(replica.state),
    releasedTwice: (lease: Lease): void => this.#options.onSecondRelease(lease),
  };

  constructor(options: Options) {
    this.#options = options;
    compareAlike(options.replicas);
    const serve = (): void => this.#serveLine();
    this.#undo = options.replicas.map(({ changed }) => changed.subscribe(serve));
  }

  /** Where its wishes wait, for the dispatcher that follows it. */
  get line(): WaitingLine<Waiter> {
    return this.#options.line;
  }

  /** Hears no more of its replicas. To be called when nobody who came to it waits or holds a lease. */
  close(): void {
    for (const undo of this.#undo) undo();
    this.#review?.disarm();
  }

  /** Wishes in the line, also those that came to other dispatchers of the same backend. */
  get waitingCount(): number {
    return this.#options.line.length;
  }

  /** Those in the line that came to it. */
  get waitingOfItsOwn(): number {
    return this.#waiting;
  }

  /** A lease at once where a replica has a credit that is worth taking and nobody waits before who could have it; else a place in the line. Who comes back after a failure (`notThese`) waits at its head. */
  take(wish: Wish, notThese: readonly Replica[] = nobody): Lease | Promise<Lease> {
    wish.cancellation.throwIfCancelled();
    const { line } = this.#options;
    if (this.#waiting === 0 || notThese.length > 0) {
      const found = this.#find(wish, notThese, 0, notThese.length > 0 ? 0 : line.length);
      if (found instanceof Lease) return found;
    }
    const refusal = this.#refusalToWait(notThese);
    if (refusal !== null) throw refusal;
    return this.#wait(wish, notThese);
  }

  /** A lease if one is to be had this instant, past the line; for extra tries that must not wait. */
  tryTake(wish: Wish, notThese: readonly Replica[] = nobody): Lease | null {
    const found = this.#find(wish, notThese, 0, Number.POSITIVE_INFINITY);
    return found instanceof Lease ? found : null;
  }

  /** A lease, or null where none is to be had, or how long it is worth waiting with so many ahead. */
  #find(wish: Wish, notThese: readonly Replica[], waitedMs: number, ahead: number): Lease | Patience | null {
    const { replicas } = this.#options;
    this.#eligible.look(replicas, notThese);
    compareSlots(replicas, this.#eligible.areMixed);
    const patience = this.#eligible.full.length > 0 ? this.#patienceOf(wish, waitedMs, ahead) : null;
    return patience ?? this.#leaseOne(wish, notThese, waitedMs);
  }

  /** Null for one that takes what is free. Once the line is full, everybody does. */
  #patienceOf({ work }: Wish, waitedMs: number, ahead: number): Patience | null {
    const { policy, line, queue, clock } = this.#options;
    const { list, full } = this.#eligible;
    if (line.length >= queue.maxLength || policy.waitFor === undefined || !isNonEmpty(list)) return null;
    const patience = policy.waitFor(full, list, work, { nowMs: clock.nowMs(), waitedMs });
    return patience === null || ahead > patience.mostAhead ? null : patience;
  }

  /** Of those that are eligible. */
  #leaseOne(wish: Wish, notThese: readonly Replica[], waitedMs: number): Lease | null {
    const eligible = this.#eligible;
    const nowMs = this.#options.clock.nowMs();
    for (let { list } = eligible; isNonEmpty(list); { list } = eligible) {
      const replica = this.#options.policy.pick(list, wish.work, nowMs);
      // Of one that is ejected, and gets requests since too few others are left, they shall change nothing.
      const permit = replica.gate.state === 'ejected' ? freePermit : replica.gate.enter();
      if (permit !== null) {
        const isAsked = wish.wantsExplanation || this.#options.decisions.wants(nowMs);
        const decision = isAsked ? this.#tell(replica, { work: wish.work, notThese, waitedMs, nowMs }) : null;
        const lease = new Lease(replica, replica.meter.begin(wish.work), permit, this.#watcher);
        lease.decision = decision;
        return lease;
      }
      eligible.remove(replica);
    }
    return null;
  }

  /** Why a wish that was refused got nobody. */
  explainRefusal(wish: Wish, waitedMs: number): Decision {
    this.#eligible.look(this.#options.replicas, nobody);
    return this.#tell(null, { work: wish.work, notThese: nobody, waitedMs, nowMs: this.#options.clock.nowMs() });
  }

  /** Why a wish made now could not be served however long it waited, or null. A full line turns away newcomers only. */
  refusal(notThese: readonly Replica[] = nobody): GatewayError | null {
    const refusal = this.#refusalToWait(notThese);
    if (refusal === null || this.#waiting > 0) return refusal;
    // A line in which nobody may wait is always full, but need not hold anybody up; nor need one that is full of those from before a reload.
    this.#eligible.look(this.#options.replicas, notThese);
    return this.#eligible.list.length > 0 ? null : refusal;
  }

  #refusalToWait(notThese: readonly Replica[]): GatewayError | null {
    const { backendName, replicas, line, queue, clock } = this.#options;
    if (!isAnyInProspect(replicas, notThese)) return noneEligible(backendName, replicas, clock.nowMs());
    if (line.length < queue.maxLength || notThese.length > 0) return null;
    return lineFull(backendName, line.length);
  }

  #wait(wish: Wish, notThese: readonly Replica[]): Promise<Lease> {
    const { line, wheel, clock, queue, backendName } = this.#options;
    const sinceMs = clock.nowMs();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        place.leave();
        this.#waiting -= 1;
        waiter.alarm.disarm();
        wish.cancellation.off(waiter.refuse);
      };
      const waiter: Waiter = {
        dispatcher: this,
        wish,
        notThese,
        sinceMs,
        // It may have been waiting for better.
        alarm: wheel.arm(sinceMs + queue.waitMs, () => {
          const lease = this.tryTake(wish, notThese);
          if (lease !== null) waiter.give(lease);
          else waiter.refuse(waitedTooLong(backendName, queue.waitMs));
        }),
        give: (lease) => {
          leave();
          resolve(lease);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const place = notThese.length > 0 ? line.joinAtHead(waiter) : line.join(waiter);
      this.#waiting += 1;
      wish.cancellation.onCancel(waiter.refuse);
      // Whoever is ahead may be waiting for a replica that this one may not have, or the other way round.
      this.#serveLine();
    });
  }

  #serveLine(): void {
    const { line, clock } = this.#options;
    if (line.length > 0) serveLine(line, clock.nowMs());
  }

  /** Serves one of its own who waits behind so many, or refuses it, as far as that can be done now. For the line only. */
  serve(waiter: Waiter, ahead: number): Turn {
    const { backendName, replicas, clock } = this.#options;
    const nowMs = clock.nowMs();
    const found = this.#find(waiter.wish, waiter.notThese, nowMs - waiter.sinceMs, ahead);
    if (found instanceof Lease) waiter.give(found);
    else if (found !== null) return this.#waitFor(found);
    else if (!isAnyInProspect(replicas, waiter.notThese)) waiter.refuse(noneEligible(backendName, replicas, nowMs));
    else return { kind: waiter.notThese.length > 0 ? 'held' : 'none' };
    return { kind: 'gone' };
  }

  #waitFor({ mostAhead, reviewAtMs }: Patience): Turn {
    this.#review ??= this.#options.wheel.arm(reviewAtMs, () => {
      this.#review = null;
      this.#serveLine();
    });
    return { kind: 'patient', mostAhead };
  }

  /** What was decided among those that are eligible just now; whoever watches is told, too. */
  #tell(picked: Replica | null, deciding: Deciding): Decision {
    const { decisions } = this.#options;
    const decision = explain({ ...this.#options, ...deciding, picked, eligible: this.#eligible.list });
    if (decisions.wants(decision.atMs)) decisions.take(decision);
    return decision;
  }
}
