import { type ErrorCode, GatewayError } from '../../../gateway/kernel/errors.ts';
import type { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import type { Body, BodyEnd, Sink } from '../../../gateway/pipeline/reply.ts';
import type { Serve } from '../../../gateway/pipeline/stage.ts';

/** What becomes of one computation. */
export interface WorkScript {
  /** Infinity for never. */
  readonly headAfterMs: number;
  /** Rejects at that time instead of answering. */
  readonly error?: ErrorCode;
  /** 200 unless said otherwise. */
  readonly status?: number;
  readonly headers?: readonly string[];
  readonly pieces?: readonly { readonly afterMs: number; readonly bytes: Uint8Array }[];
  /** Complete unless said otherwise. */
  readonly ends?: 'complete' | 'broken' | 'hangs';
}

/** One computation that was begun. */
export interface Computation {
  readonly exchange: Exchange;
  readonly script: WorkScript;
  readonly startedAtMs: number;
  /** Null while it goes on. */
  endedAtMs: number | null;
  isCancelled: boolean;
  /** Whether its body is asked to wait. */
  isPaused: boolean;
}

/** Stands in the place of the stages below a flight: computes as the scripts say, heeds pauses, and stops when it is cancelled. */
export class ScriptedWork {
  readonly begun: Computation[] = [];
  readonly #clock: VirtualClock;
  readonly #script: (n: number) => WorkScript;

  constructor(clock: VirtualClock, script: (n: number) => WorkScript) {
    this.#clock = clock;
    this.#script = script;
  }

  get underWay(): readonly Computation[] {
    return this.begun.filter(({ endedAtMs }) => endedAtMs === null);
  }

  readonly serve: Serve = (exchange) => {
    const clock = this.#clock;
    const script = this.#script(this.begun.length);
    const startedAtMs = clock.nowMs();
    const one: Computation = { exchange, script, startedAtMs, endedAtMs: null, isCancelled: false, isPaused: false };
    this.begun.push(one);
    const end = (): void => {
      one.endedAtMs ??= clock.nowMs();
    };
    const { journal, cancellation } = exchange;
    journal.tries += 1;
    journal.replica = 'digits/a';
    journal.sentAtMs = startedAtMs;
    return new Promise((resolve, reject) => {
      const cancelled = (reason: GatewayError): void => {
        one.isCancelled = true;
        end();
        reject(reason);
      };
      cancellation.onCancel(cancelled);
      if (script.headAfterMs === Number.POSITIVE_INFINITY) return;
      clock.after(script.headAfterMs, () => {
        if (one.isCancelled) return;
        cancellation.off(cancelled);
        if (script.error !== undefined) {
          end();
          reject(new GatewayError(script.error, 'as the script says'));
          return;
        }
        journal.headAtMs = clock.nowMs();
        const { status = 200, headers = [] } = script;
        resolve({ status, headers: [...headers], source: 'upstream', body: new ScriptedBody(clock, one, end) });
      });
    });
  };
}

class ScriptedBody implements Body {
  readonly sizeBytes = null;
  readonly #clock: VirtualClock;
  readonly #one: Computation;
  readonly #onEnd: () => void;
  #sink: Sink | null = null;
  #hasEnded = false;
  #at = 0;

  constructor(clock: VirtualClock, one: Computation, onEnd: () => void) {
    this.#clock = clock;
    this.#one = one;
    this.#onEnd = onEnd;
  }

  pump(sink: Sink): void {
    this.#sink = sink;
    this.#one.exchange.cancellation.onCancel((reason) => {
      this.#one.isCancelled ||= !this.#hasEnded;
      this.#end('abandoned', reason);
    });
    this.#next();
  }

  discard(): void {
    this.#one.isCancelled ||= !this.#hasEnded;
    this.#end('abandoned');
  }

  #next(): void {
    if (this.#hasEnded) return;
    const { pieces = [], ends = 'complete' } = this.#one.script;
    const piece = pieces[this.#at];
    if (piece !== undefined) this.#clock.after(piece.afterMs, () => this.#send(piece.bytes));
    else if (ends === 'complete') this.#end('complete');
    else if (ends === 'broken') this.#end('broken', new GatewayError('upstream_broken', 'as the script says'));
  }

  #send(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#sink === null) return;
    this.#at += 1;
    if (this.#sink.chunk(bytes)) {
      this.#next();
      return;
    }
    this.#one.isPaused = true;
    this.#sink.onDrain(() => {
      this.#one.isPaused = false;
      this.#next();
    });
  }

  #end(how: BodyEnd, why?: GatewayError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
    this.#sink?.end(how, why);
  }
}
