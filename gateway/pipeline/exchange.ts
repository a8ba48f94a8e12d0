import type { Work } from '../balance/work.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Alarm, TimerWheel } from '../kernel/timer-wheel.ts';
import type { Ask } from './ask.ts';
import type { Generation } from './generation.ts';
import type { Headers } from './headers.ts';
import { Journal } from './journal.ts';
import type { Endpoint, Protocol } from './protocol.ts';
import type { Choice } from './route.ts';
import type { Sharing } from './sharing.ts';

/** The head of a request, parsed once: routing, authorization and logging all go by this and never by the raw target again. */
export interface RequestHead {
  readonly method: string;
  /** Without the query, what is encoded decoded but for delimiters: what routes are matched against. */
  readonly path: string;
  /** The same as it was sent. */
  readonly rawPath: string;
  /** With its question mark; empty for none. */
  readonly query: string;
  /** The parameters of the endpoint's pattern, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly endpoint: Endpoint;
  readonly headers: Headers;
}

/** The body as it comes in. Read at most once. */
export interface Incoming {
  /**
   * Rejects with `body_too_large`, `client_left`, or the reason of the cancellation. `reserve` is called before bytes are kept and throws
   * when the gateway has no room for them.
   */
  read(maxBytes: number, reserve: (sizeBytes: number) => void, cancellation: Cancellation): Promise<Uint8Array>;
}

interface Options {
  readonly id: string;
  readonly receivedAtMs: number;
  readonly generation: Generation;
  readonly protocol: Protocol;
  readonly head: RequestHead;
  readonly incoming: Incoming;
  readonly wheel: TimerWheel;
}

/** One client request and the answer being made for it. The fields a stage is named for are written once, by that stage, and cannot be read before. */
export class Exchange {
  readonly id: string;
  readonly receivedAtMs: number;
  /** The configuration it is served by, to its end. */
  readonly generation: Generation;
  readonly protocol: Protocol;
  readonly head: RequestHead;
  readonly incoming: Incoming;
  readonly journal = new Journal();
  readonly cancellation = new Cancellation();
  /** Null where the answer is nobody else's; written before anything may be shared. */
  sharing: Sharing | null = null;
  /** For `RunningExchanges` only. */
  runningAt = -1;
  readonly #wheel: TimerWheel;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #isDetached = false;
  #alarm: Alarm | null = null;
  #tenant: string | null = null;
  #ask: Ask | null = null;
  #choice: Choice | null = null;

  constructor(options: Options) {
    this.id = options.id;
    this.receivedAtMs = options.receivedAtMs;
    this.generation = options.generation;
    this.protocol = options.protocol;
    this.head = options.head;
    this.incoming = options.incoming;
    this.#wheel = options.wheel;
  }

  /**
   * The same work, which goes on by itself: with a journal of its own, and whether or not the client stays. When its deadline passes
   * nothing happens by itself: whoever detached it cancels it when nobody waits for it any more.
   */
  detached(choice: Choice, deadlineMs = Number.POSITIVE_INFINITY): Exchange {
    const { id, receivedAtMs, generation, protocol, head, incoming } = this;
    const wheel = this.#wheel;
    const own = new Exchange({ id, receivedAtMs, generation, protocol, head, incoming, wheel });
    own.#isDetached = true;
    own.#deadlineMs = deadlineMs;
    own.sharing = this.sharing;
    own.tenant = this.tenant;
    own.ask = { ...this.ask };
    own.choice = choice;
    own.journal.backend = choice.backend.name;
    return own;
  }

  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** Who asks, written by `identify`. Nothing is shared between tenants. */
  get tenant(): string {
    return written(this.#tenant, 'tenant');
  }

  set tenant(tenant: string) {
    this.#tenant = tenant;
  }

  /** Written by `read`. */
  get ask(): Ask {
    return written(this.#ask, 'ask');
  }

  set ask(ask: Ask) {
    this.#ask = ask;
  }

  get work(): Work {
    return this.ask.work;
  }

  /** Written by `route`. */
  get choice(): Choice {
    return written(this.#choice, 'choice');
  }

  set choice(choice: Choice) {
    this.#choice = choice;
  }

  /** Of the clock's `nowMs`; Infinity for none. Waiting, tries and the upstream are all cut to it. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Brings the deadline forward; one later than the present one changes nothing. When it passes, the exchange is cancelled. */
  cutTo(deadlineMs: number): void {
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    if (this.#alarm !== null) this.#alarm.moveTo(deadlineMs);
    else this.#alarm = this.#wheel.arm(deadlineMs, () => this.cancellation.cancel(deadlinePassed()));
  }

  /** Puts the deadline of a detached exchange off, for somebody who waits longer; one earlier than the present one changes nothing. */
  prolongTo(deadlineMs: number): void {
    this.#deadlineMs = Math.max(this.#deadlineMs, deadlineMs);
  }

  /** Cancels the exchange if its deadline has passed. Where an answer may have come in the last tick: the alarm rings up to one tick late. */
  expire(clock: Clock): void {
    if (this.#deadlineMs !== Number.POSITIVE_INFINITY && clock.nowMs() >= this.#deadlineMs)
      this.cancellation.cancel(deadlinePassed());
  }

  /** The deadline is met: at the end of an answer, or at the first byte of a stream. */
  meetDeadline(): void {
    this.#alarm?.disarm();
  }
}

function deadlinePassed(): GatewayError {
  return new GatewayError('deadline_exceeded', 'the deadline of the request passed before it was answered');
}

function written<T>(value: T | null, name: string): T {
  if (value === null) throw new Error(`exchange.${name} was read before the stage that writes it`);
  return value;
}
