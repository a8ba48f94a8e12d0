import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Payload, PlannedRequest } from '../arrivals/plan.ts';
import type { RequestRecord } from '../measure/record.ts';
import type { OwnLimit } from '../report/own-limit.ts';
import type { Sender } from './sender.ts';
import { type RunOfRequests, UnderWay } from './under-way.ts';
import type { WakeAt } from './wake.ts';

/** What one generator sends, and how. */
export interface DriveOptions<Request = Buffer> {
  /** In the order of its instants. */
  readonly plan: Iterable<PlannedRequest>;
  readonly target: string;
  readonly requestOf: (payload: Payload) => Request;
  readonly clock: Clock;
  readonly wakeAt: WakeAt;
  readonly sender: Sender<Request>;
  /** When the plan begins, by the clock. */
  readonly startAtMs: number;
  readonly timeoutMs: number;
  /** How long after the last sending answers are waited for. */
  readonly graceMs: number;
  /** Null for an open loop, which sends when the plan says; else this many requests are under way at any time, until the end. */
  readonly closed: { readonly concurrency: number; readonly untilMs: number | null } | null;
  readonly onRecord: (record: RequestRecord) => void;
  /** Told of every request that was planned, and could not be sent; and why, where that is a limit of this machine. */
  readonly onUnsent: (planned: PlannedRequest, limit: OwnLimit | null) => void;
}

/** How far a run is. */
export interface DriveState {
  readonly sent: number;
  readonly underWay: number;
}

/** Sends so many that are late before anything else gets its turn. */
const mostATurn = 64;

/** One that is next, ready to be written. */
interface Prepared<Request> {
  readonly planned: PlannedRequest;
  readonly request: Request;
}

/** Sends a plan. In an open loop when the next is sent does not depend on what comes back. */
export class Drive<Request = Buffer> {
  readonly #options: DriveOptions<Request>;
  readonly #plan: Iterator<PlannedRequest>;
  readonly #run: RunOfRequests<Request>;
  readonly #underWay = new Set<UnderWay<Request>>();
  readonly #finished = Promise.withResolvers<void>();
  #next: Prepared<Request> | null = null;
  #hasAllSent = false;
  #sent = 0;

  constructor(options: DriveOptions<Request>) {
    this.#options = options;
    this.#plan = options.plan[Symbol.iterator]();
    this.#run = {
      ...options,
      startedAtMs: options.startAtMs,
      ended: (one, record) => this.#ended(one, () => options.onRecord(record)),
      unsent: (one, limit) => this.#ended(one, () => options.onUnsent(one.planned, limit)),
    };
  }

  get state(): DriveState {
    return { sent: this.#sent, underWay: this.#underWay.size };
  }

  /** Resolves when every request has its record. */
  run(): Promise<void> {
    this.#prepare();
    this.#options.wakeAt(this.#options.startAtMs, () => {
      if (this.#options.closed === null) this.#sendDue();
      else this.#keepUnderWay();
    });
    return this.#finished.promise;
  }

  /** Sends no more; what is under way goes on. */
  stop(): void {
    if (!this.#hasAllSent) this.#allSent();
  }

  /** Sends no more, and waits for nothing: what is under way is unfinished. */
  breakOff(): void {
    this.stop();
    this.#abandonAll();
  }

  /** Made ahead of its time, so that making it delays nothing. */
  #prepare(): void {
    const { done, value } = this.#plan.next();
    this.#next = done === true ? null : { planned: value, request: this.#options.requestOf(value.payload) };
  }

  #sendDue(): void {
    const { clock, startAtMs, wakeAt } = this.#options;
    for (let sentNow = 0; !this.#hasAllSent; sentNow++) {
      if (this.#next === null) {
        this.#allSent();
        return;
      }
      const dueAtMs = startAtMs + this.#next.planned.plannedAtMs;
      if (dueAtMs > clock.nowMs() || sentNow === mostATurn) {
        wakeAt(dueAtMs, () => this.#sendDue());
        return;
      }
      this.#send(this.#next, this.#next.planned.plannedAtMs);
      this.#prepare();
    }
  }

  /** In a closed loop a request is due when there is room for it. */
  #keepUnderWay(): void {
    const { clock, startAtMs, closed } = this.#options;
    while (!this.#hasAllSent && closed !== null && this.#underWay.size < closed.concurrency) {
      const nowMs = clock.nowMs() - startAtMs;
      if (this.#next === null || nowMs >= (closed.untilMs ?? Number.POSITIVE_INFINITY)) {
        this.#allSent();
        return;
      }
      this.#send(this.#next, nowMs);
      this.#prepare();
    }
  }

  #send({ planned, request }: Prepared<Request>, dueAtMs: number): void {
    const underWay = new UnderWay(this.#run, planned, dueAtMs);
    this.#underWay.add(underWay);
    this.#sent += 1;
    underWay.send(request);
  }

  #ended(request: UnderWay<Request>, tell: () => void): void {
    this.#underWay.delete(request);
    tell();
    if (!this.#hasAllSent && this.#options.closed !== null) this.#keepUnderWay();
    else if (this.#hasAllSent && this.#underWay.size === 0) this.#finished.resolve();
  }

  #allSent(): void {
    this.#hasAllSent = true;
    if (this.#underWay.size === 0) {
      this.#finished.resolve();
      return;
    }
    const { clock, graceMs } = this.#options;
    const timer = clock.after(graceMs, () => this.#abandonAll());
    void this.#finished.promise.then(() => timer.cancel());
  }

  #abandonAll(): void {
    for (const request of this.#underWay) request.abandon();
  }
}
