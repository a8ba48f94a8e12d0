import type { Clock } from '../../gateway/kernel/clock.ts';
import { asGatewayError, GatewayError } from '../../gateway/kernel/errors.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import type { BodyEnd, Reply, Sink } from '../../gateway/pipeline/reply.ts';
import { serverTiming } from '../../gateway/pipeline/server-timing.ts';
import { isEventStream } from '../../gateway/protocols/events.ts';
import type { Flow } from './flow.ts';

/** What the client of an exchange is told in place of an answer, as the client port tells it. */
export function refusalOf(thrown: unknown, { protocol }: Exchange): Reply {
  const error = asGatewayError(thrown);
  const reply = protocol.refuse(error);
  if (error.retryAfterMs !== null) reply.headers.push('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  return reply;
}

/** Passes the answer of an exchange on to its client: the head with the first byte, and what breaks off as a broken connection. */
export class FlowSink implements Sink {
  readonly #exchange: Exchange;
  readonly #flow: Flow;
  readonly #clock: Clock;
  readonly #isOpenStream: boolean;
  /** Null when it has been sent. */
  #head: Pick<Reply, 'status' | 'headers'> | null;

  constructor(reply: Reply, exchange: Exchange, flow: Flow, clock: Clock) {
    this.#exchange = exchange;
    this.#flow = flow;
    this.#clock = clock;
    this.#head = reply;
    this.#isOpenStream = reply.body.sizeBytes === null && isEventStream(reply);
  }

  chunk(bytes: Uint8Array): boolean {
    this.#sendHead();
    return this.#flow.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  onDrain(call: () => void): void {
    this.#flow.onDrain(call);
  }

  end(how: BodyEnd, why?: GatewayError): void {
    if (how !== 'complete') {
      this.#breakOff(why);
      return;
    }
    this.#sendHead();
    this.#flow.end();
  }

  #sendHead(): void {
    if (this.#head === null) return;
    const { status, headers } = this.#head;
    this.#head = null;
    const fields = new Map<string, string>();
    for (let at = 0; at + 1 < headers.length; at += 2)
      fields.set((headers[at] ?? '').toLowerCase(), headers[at + 1] ?? '');
    const { replica } = this.#exchange.journal;
    if (replica !== '') fields.set('x-headgate-replica', replica);
    fields.set('server-timing', serverTiming(this.#exchange, this.#clock.nowMs()));
    this.#flow.head({ status, headers: fields });
  }

  #breakOff(why: GatewayError | undefined): void {
    const { cancellation, protocol, head } = this.#exchange;
    const failure = cancellation.reason ?? why ?? new GatewayError('upstream_broken', 'the replica broke off');
    if (this.#head !== null) {
      const instead = refusalOf(failure, this.#exchange);
      this.#head = instead;
      instead.body.pump(this);
      return;
    }
    const last = this.#isOpenStream ? protocol.breakStream(failure, head) : null;
    if (last !== null) this.chunk(last);
    this.#flow.break();
  }
}
