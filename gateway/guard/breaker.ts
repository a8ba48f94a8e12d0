import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { Clock } from '../kernel/clock.ts';

/** What a window of time holds. */
export interface Counts {
  readonly succeeded: number;
  /** Answers of 4xx; not among those that succeeded. */
  readonly clientErrors: number;
  readonly failed: number;
}

const bucketCount = 10;

/** The longest that a timer of Node can be set to. */
const neverMs = 2 ** 31 - 1;

/**
 * opossum's counts over a rolling window, and its open bit. Nothing is fired through it: a late outcome would close it, and its reset knows
 * neither back-off nor a single probe. Its buckets are rotated by our clock whenever it is looked at, so that it needs no timer.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #bucketMs: number;
  readonly #rotation = new EventEmitter();
  readonly #circuit: CircuitBreaker;
  #rotatedAtMs: number;

  constructor({ windowMs, clock }: { readonly windowMs: number; readonly clock: Clock }) {
    this.#clock = clock;
    this.#bucketMs = windowMs / bucketCount;
    this.#rotatedAtMs = clock.nowMs();
    this.#circuit = new CircuitBreaker(neverFired, {
      timeout: false,
      resetTimeout: neverMs,
      rollingCountTimeout: windowMs,
      rollingCountBuckets: bucketCount,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#rotation,
    });
  }

  get isOpen(): boolean {
    return this.#circuit.opened;
  }

  open(): void {
    this.#circuit.open();
  }

  /** Closes it, with an empty window: what was before says nothing of what comes back. */
  close(): void {
    this.#circuit.close();
    this.#rotate(bucketCount);
  }

  count(what: keyof Counts): void {
    this.#catchUp();
    this.#circuit.emit(eventOf[what]);
  }

  /** Cheaper than opossum's own sum, which goes over every counter it has by name. */
  counts(): Counts {
    this.#catchUp();
    const sum = { succeeded: 0, clientErrors: 0, failed: 0 };
    for (const { successes, rejects, failures } of this.#circuit.status.window) {
      sum.succeeded += successes;
      sum.clientErrors += rejects;
      sum.failed += failures;
    }
    return sum;
  }

  /** Ends it; it must not be used any more. */
  shutdown(): void {
    this.#circuit.shutdown();
  }

  #catchUp(): void {
    const passed = Math.floor((this.#clock.nowMs() - this.#rotatedAtMs) / this.#bucketMs);
    if (passed <= 0) return;
    this.#rotatedAtMs += passed * this.#bucketMs;
    this.#rotate(Math.min(passed, bucketCount));
  }

  #rotate(times: number): void {
    for (let n = 0; n < times; n++) this.#rotation.emit('rotate');
  }
}

/** What opossum counts at each of its events; a rejected call is the nearest it knows to an answer that was the client's fault. */
const eventOf = { succeeded: 'success', clientErrors: 'reject', failed: 'failure' } as const satisfies Record<
  keyof Counts,
  string
>;

const neverFired = (): Promise<never> => Promise.reject(new Error('nothing is fired through the breaker'));
