import type { Dispatcher } from 'undici';
import type { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import type { Connections } from '../../gateway/upstream/undici-transport.ts';

/** What a simulated replica does with one request; times count from the step before. */
export interface Script {
  /** It cannot be connected to; found out after this long. */
  readonly refusesAfterMs?: number;
  /** Until the head of the answer; Infinity for never. */
  readonly headAfterMs?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly pieces?: readonly { readonly afterMs: number; readonly bytes: Uint8Array }[];
  /** How it ends after the last piece; `hangs` means not at all. */
  readonly ends?: 'complete' | 'broken' | 'hangs';
}

/** What a replica saw of one request, for tests to look at. */
export interface Seen {
  readonly path: string;
  readonly headers: readonly string[];
  readonly startedAtMs: number;
  /** Whether the replica has got the request, and may have worked on it. */
  hasArrived: boolean;
  /** When the gateway aborted it; null when it did not. */
  abortedAtMs: number | null;
  endedAtMs: number | null;
}

/** What a replica works on at once; what comes when all of that is taken waits its turn. */
class WorkSlots {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** Stands in the place of undici's connections to one replica, so that everything above them is the real thing. */
export class SimulatedReplica implements Connections {
  readonly seen: Seen[] = [];
  readonly #clock: VirtualClock;
  readonly #script: (requestNumber: number, path: string) => Script;
  readonly #slots: WorkSlots;

  /** It works on `worksOn` requests at once; what it fails at costs it no work. */
  constructor(
    clock: VirtualClock,
    script: (requestNumber: number, path: string) => Script,
    worksOn = Number.POSITIVE_INFINITY,
  ) {
    this.#clock = clock;
    this.#script = script;
    this.#slots = new WorkSlots(worksOn);
  }

  /** Requests under way. */
  get running(): number {
    return this.seen.filter((one) => one.endedAtMs === null).length;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const script = this.#script(this.seen.length, options.path);
    const seen: Seen = {
      path: options.path,
      headers: options.headers as string[],
      startedAtMs: this.#clock.nowMs(),
      hasArrived: false,
      abortedAtMs: null,
      endedAtMs: null,
    };
    this.seen.push(seen);
    new ScriptedCall({ clock: this.#clock, script, handler, seen, slots: this.#slots }).start();
    return true;
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}
}

interface CallParts {
  readonly clock: VirtualClock;
  readonly script: Script;
  readonly handler: Dispatcher.DispatchHandler;
  readonly seen: Seen;
  readonly slots: WorkSlots;
}

/** Plays a script to undici's handler interface, pausing when it is told to, as a socket would. */
class ScriptedCall implements Dispatcher.DispatchController {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  readonly #clock: VirtualClock;
  readonly #script: Script;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #seen: Seen;
  readonly #slots: WorkSlots;
  #hasSlot = false;
  #resumed: (() => void) | null = null;

  constructor({ clock, script, handler, seen, slots }: CallParts) {
    this.#clock = clock;
    this.#script = script;
    this.#handler = handler;
    this.#seen = seen;
    this.#slots = slots;
  }

  start(): void {
    void this.#play();
  }

  abort(reason: Error): void {
    if (this.aborted || this.#seen.endedAtMs !== null) return;
    this.aborted = true;
    this.reason = reason;
    this.#seen.abortedAtMs = this.#clock.nowMs();
    this.#fail(reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#resumed?.();
  }

  async #play(): Promise<void> {
    const {
      refusesAfterMs,
      headAfterMs = 0,
      status = 200,
      headers = {},
      pieces = [],
      ends = 'complete',
    } = this.#script;
    await this.#clock.sleep(refusesAfterMs ?? 0);
    if (refusesAfterMs !== undefined) return this.#fail(new Error('connect ECONNREFUSED'));
    this.#seen.hasArrived = true;
    this.#handler.onRequestStart?.(this, {});
    if (headAfterMs === Number.POSITIVE_INFINITY) return;
    if (status < 400) {
      await this.#slots.take();
      if (this.#isOver()) return this.#slots.give();
      this.#hasSlot = true;
    }
    await this.#clock.sleep(headAfterMs);
    if (this.#isOver()) return;
    this.#handler.onResponseStart?.(this, status, { ...headers });
    for (const { afterMs, bytes } of pieces) {
      await this.#clock.sleep(afterMs);
      await this.#whileNotPaused();
      if (this.#isOver()) return;
      this.#handler.onResponseData?.(this, Buffer.from(bytes));
    }
    await this.#whileNotPaused();
    if (this.#isOver() || ends === 'hangs') return;
    if (ends === 'broken') return this.#fail(new Error('other side closed'));
    this.#end();
    this.#handler.onResponseEnd?.(this, {});
  }

  #end(): void {
    this.#seen.endedAtMs = this.#clock.nowMs();
    if (this.#hasSlot) this.#slots.give();
  }

  #isOver(): boolean {
    return this.#seen.endedAtMs !== null;
  }

  #fail(error: Error): void {
    if (this.#isOver()) return;
    this.#end();
    this.#handler.onResponseError?.(this, error);
  }

  async #whileNotPaused(): Promise<void> {
    while (this.paused && !this.#isOver()) {
      await new Promise<void>((resolve) => {
        this.#resumed = resolve;
      });
    }
  }
}
