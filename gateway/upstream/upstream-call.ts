import type { Dispatcher } from 'undici';
import type { TryTimeouts } from '../balance/backend.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError, GatewayError } from '../kernel/errors.ts';
import type { Alarm, TimerWheel } from '../kernel/timer-wheel.ts';
import type { Headers } from '../pipeline/headers.ts';
import type { Body, BodyEnd, Sink } from '../pipeline/reply.ts';
import { replyHeaders } from './headers.ts';
import type { UpstreamReply } from './transport.ts';

interface Options {
  readonly replicaName: string;
  readonly timeouts: TryTimeouts;
  readonly sentAtMs: number;
  readonly cancellation: Cancellation;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  onHead(reply: UpstreamReply): void;
  onFailure(error: GatewayError): void;
  /** Of the request's body. */
  readonly uploadBytes: number;
}

/** What the systems on both sides hold at least of what is under way: a smaller body has been sent whole when its sender is told so. */
const sentAtOnceBytes = 64 * 1024;

/** Held back before anybody pumps; beyond it the replica is asked to pause. */
const heldBackBytes = 64 * 1024;

/** One request on its way to a replica and the answer coming back: undici's handler and our body in one object, made once a try. */
export class UpstreamCall implements Dispatcher.DispatchHandler, Body {
  sizeBytes: number | null = null;
  readonly #options: Options;
  readonly #sentAtMs: number;
  readonly #alarm: Alarm;
  readonly #onCancel = (reason: GatewayError): void => this.#fail(reason);
  #controller: Dispatcher.DispatchController | null = null;
  #hasHead = false;
  #heldBack: Buffer[] = [];
  #heldBackBytes = 0;
  #sink: Sink | null = null;
  /** The sink has asked for a pause, and has been asked to say when it is over. */
  #isPaused = false;
  #end: BodyEnd | null = null;
  #why: GatewayError | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#sentAtMs = options.sentAtMs;
    const { connectMs } = options.timeouts;
    this.#alarm = options.wheel.arm(Math.min(this.#sentAtMs + connectMs, this.#firstByteDueAtMs), () =>
      this.#fail(this.#timedOut()),
    );
    options.cancellation.onCancel(this.#onCancel);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#alarm.moveTo(this.#firstByteDueAtMs);
    if (this.#end !== null) controller.abort(new Error('no longer wanted'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, fields: Headers): void {
    // Informational answers (RFC 9110 section 15.2) come before the real one.
    if (status < 200 || this.#end !== null) return;
    this.#hasHead = true;
    const length = fields['content-length'];
    this.sizeBytes = typeof length === 'string' ? Number(length) : null;
    const { headers, loadReport } = replyHeaders(fields, status);
    this.#options.onHead({ status, headers, source: 'upstream', body: this, loadReport });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#end !== null) return;
    this.#awaitNextPiece();
    if (this.#sink === null) {
      this.#heldBack.push(chunk);
      this.#heldBackBytes += chunk.length;
      if (this.#heldBackBytes >= heldBackBytes) this.#controller?.pause();
      return;
    }
    try {
      this.#push(this.#sink, chunk);
    } catch (fault) {
      // A fault of ours ends this answer and no other: thrown into undici it would end the process.
      this.#fail(asGatewayError(fault));
    }
  }

  onResponseEnd(): void {
    this.#finish('complete');
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const { replicaName, uploadBytes } = this.#options;
    const wasSent = this.#controller !== null;
    const isUploading = wasSent && !this.#hasHead && uploadBytes > sentAtOnceBytes;
    const code = isUploading ? 'upload_broken' : wasSent ? 'upstream_broken' : 'upstream_unreachable';
    const where = this.#hasHead ? 'in the middle of its answer' : 'before it had answered';
    const what = wasSent ? `broke off ${where}` : 'cannot be reached';
    this.#fail(new GatewayError(code, `replica ${replicaName} ${what}`, { cause }));
  }

  pump(sink: Sink): void {
    this.#sink = sink;
    if (this.#end !== 'abandoned') for (const chunk of this.#heldBack) this.#push(sink, chunk);
    this.#heldBack = [];
    if (this.#end !== null) sink.end(this.#end, this.#why);
    else if (this.#heldBackBytes >= heldBackBytes && !this.#isPaused) this.#controller?.resume();
  }

  discard(): void {
    if (this.#end !== null) return;
    this.#finish('abandoned');
    this.#controller?.abort(new Error('no longer wanted'));
  }

  #push(sink: Sink, chunk: Buffer): void {
    if (sink.chunk(chunk) || this.#end !== null) return;
    // While the client is the slow one, the replica's silence is not the replica's.
    this.#alarm.moveTo(this.#sentAtMs + this.#options.timeouts.totalMs);
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#controller?.pause();
    sink.onDrain(() => {
      this.#isPaused = false;
      this.#awaitNextPiece();
      this.#controller?.resume();
    });
  }

  #awaitNextPiece(): void {
    const { idleMs, totalMs } = this.#options.timeouts;
    this.#alarm.moveTo(Math.min(this.#options.clock.nowMs() + idleMs, this.#sentAtMs + totalMs));
  }

  get #firstByteDueAtMs(): number {
    const { firstByteMs, totalMs } = this.#options.timeouts;
    return this.#sentAtMs + Math.min(firstByteMs, totalMs);
  }

  #timedOut(): GatewayError {
    const { replicaName, timeouts, clock } = this.#options;
    if (this.#isPaused)
      return new GatewayError('client_left', `the client had not taken its answer after ${timeouts.totalMs} ms`);
    const tookMs = Math.round(clock.nowMs() - this.#sentAtMs);
    if (this.#controller === null)
      return new GatewayError('upstream_unreachable', `replica ${replicaName} cannot be reached`, {
        cause: new Error(`no connection within ${tookMs} ms`),
      });
    const what = this.#hasHead ? 'stopped in the middle of its answer' : 'did not begin to answer in time';
    return new GatewayError('upstream_timeout', `replica ${replicaName} ${what}`, {
      cause: new Error(`${tookMs} ms; limits in ms: ${JSON.stringify(timeouts)}`),
    });
  }

  /** Ends the call for a reason of its own, once: as a rejected send before the head, as a broken body after it. */
  #fail(error: GatewayError): void {
    if (this.#end !== null) return;
    this.#finish(error.blame === 'upstream' ? 'broken' : 'abandoned', error);
    this.#controller?.abort(error);
    if (!this.#hasHead) this.#options.onFailure(error);
  }

  #finish(end: BodyEnd, why?: GatewayError): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#why = why;
    this.#alarm.disarm();
    this.#options.cancellation.off(this.#onCancel);
    this.#sink?.end(end, why);
  }
}
