import type { Clock, Timer } from '../../gateway/kernel/clock.ts';
import type { PlannedRequest } from '../arrivals/plan.ts';
import { Observation } from '../measure/observation.ts';
import type { Outcome, RequestRecord } from '../measure/record.ts';
import { isOwnLimit, type OwnLimit } from '../report/own-limit.ts';
import type { AnswerHead } from './answer-parser.ts';
import type { Failure, Sender, Sending, SendingEvents } from './sender.ts';

/** What one request needs to know of the run it is part of. */
export interface RunOfRequests<Request = Buffer> {
  readonly clock: Clock;
  readonly sender: Sender<Request>;
  readonly target: string;
  readonly timeoutMs: number;
  /** When the run began, by the clock. */
  readonly startedAtMs: number;
  ended(request: UnderWay<Request>, record: RequestRecord): void;
  /** With what kept this machine from sending it; null where it got no connection in time. */
  unsent(request: UnderWay<Request>, limit: OwnLimit | null): void;
}

/** One request from the moment it is handed over until its record is there: the client's own patience and habits are kept here. */
export class UnderWay<Request = Buffer> implements SendingEvents {
  readonly planned: PlannedRequest;
  readonly #run: RunOfRequests<Request>;
  readonly #dueAtMs: number;
  #sending: Sending | null = null;
  #observation: Observation | null = null;
  #timers: Timer[] = [];
  #hasEnded = false;

  /** `dueAtMs` is since the start, and differs from the plan in closed loops alone. */
  constructor(run: RunOfRequests<Request>, planned: PlannedRequest, dueAtMs: number) {
    this.#run = run;
    this.planned = planned;
    this.#dueAtMs = dueAtMs;
  }

  send(request: Request): void {
    this.#sending = this.#run.sender.send(request, this);
    // A request that failed within the call has been told of already.
    if (this.#hasEnded) this.#sending.leave();
  }

  sent(): void {
    const { clock, target, timeoutMs } = this.#run;
    const { planned } = this;
    const { index, payload, cancelAfterMs } = planned;
    const { isStreaming, inputTokens } = payload;
    const plannedAtMs = this.#dueAtMs;
    this.#observation = new Observation({ index, target, plannedAtMs, isStreaming, inputTokens }, this.#nowMs());
    this.#timers.push(clock.after(timeoutMs, () => this.#giveUp('timeout')));
    if (cancelAfterMs !== null) this.#timers.push(clock.after(cancelAfterMs, () => this.#giveUp('cancelled')));
  }

  head(head: AnswerHead): void {
    this.#observation?.head(head, this.#nowMs());
  }

  body(bytes: Buffer, from: number, until: number): void {
    this.#observation?.body(bytes, from, until, this.#nowMs());
    if (this.planned.readBytesPerSecond !== null) this.#dawdle(this.planned.readBytesPerSecond);
  }

  end(): void {
    if (this.#observation !== null) this.#settle(this.#observation.outcomeOfAnswer);
  }

  failed(why: Failure): void {
    if (isOwnLimit(why)) this.#end(() => this.#run.unsent(this, why));
    else this.#settle(why === 'unreachable' ? 'unreachable' : 'upstream_error');
  }

  /** The run is over: what has not ended by now does not. */
  abandon(): void {
    this.#giveUp('unfinished');
  }

  /** Takes no more until so much time has passed as this many bytes need. */
  #dawdle(bytesPerSecond: number): void {
    const { bytes, firstByteAtMs } = this.#observation ?? { bytes: 0, firstByteAtMs: null };
    const dueAtMs = (firstByteAtMs ?? 0) + (bytes * 1000) / bytesPerSecond;
    const leftMs = dueAtMs - this.#nowMs();
    if (leftMs <= 0) return;
    this.#sending?.pause();
    this.#timers.push(this.#run.clock.after(leftMs, () => this.#sending?.resume()));
  }

  #giveUp(as: Outcome): void {
    if (this.#hasEnded) return;
    const isConnected = this.#sending?.isConnected ?? false;
    this.#sending?.leave();
    this.#settle(as === 'timeout' && !isConnected ? 'unreachable' : as);
  }

  #settle(outcome: Outcome): void {
    const record = this.#observation?.ended(outcome, this.#nowMs());
    this.#end(() => (record === undefined ? this.#run.unsent(this, null) : this.#run.ended(this, record)));
  }

  #end(tell: () => void): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    tell();
  }

  #nowMs(): number {
    return this.#run.clock.nowMs() - this.#run.startedAtMs;
  }
}
