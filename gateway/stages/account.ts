import type { Clock } from '../kernel/clock.ts';
import { asGatewayError, errorTable, type GatewayError } from '../kernel/errors.ts';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { BodyEnd, Reply } from '../pipeline/reply.ts';
import type { Stage } from '../pipeline/stage.ts';
import { isEventStream } from '../protocols/events.ts';
import { ObservedBody } from '../upstream/observe-body.ts';

/** Sees every reply, refusal and departure, settles the exchange at its last byte, and tells of it exactly once. */
export function account(settled: Topic<Exchange>, clock: Clock): Stage {
  return {
    name: 'account',
    wrap: (next) => async (exchange) => {
      try {
        exchange.cancellation.throwIfCancelled();
        const reply = await next(exchange);
        return { ...reply, body: new ObservedBody(reply.body, new Settlement(exchange, reply, settled, clock)) };
      } catch (thrown) {
        const error = asGatewayError(thrown);
        noteError(exchange, error);
        settle(exchange, settled, clock);
        throw error;
      }
    },
  };
}

/** Watches the body of one exchange. */
class Settlement {
  readonly #exchange: Exchange;
  readonly #settled: Topic<Exchange>;
  readonly #clock: Clock;
  readonly #reply: Reply;

  constructor(exchange: Exchange, reply: Reply, settled: Topic<Exchange>, clock: Clock) {
    this.#exchange = exchange;
    this.#settled = settled;
    this.#clock = clock;
    this.#reply = reply;
    exchange.journal.status = reply.status;
    exchange.journal.source = reply.source;
  }

  firstByte(): void {
    this.#exchange.journal.firstByteAtMs = this.#clock.nowMs();
    const { ask, deadlineMs } = this.#exchange;
    if (ask.isStreaming || (deadlineMs !== Number.POSITIVE_INFINITY && isEventStream(this.#reply)))
      this.#exchange.meetDeadline();
  }

  ended(how: BodyEnd, bytes: number, why?: GatewayError): void {
    const { journal, cancellation } = this.#exchange;
    journal.bodyEnd = how;
    journal.bytesOut = bytes;
    if (how !== 'complete') {
      const known = cancellation.reason ?? why;
      journal.code = known?.code ?? (how === 'broken' ? 'upstream_broken' : 'client_left');
      if (known !== undefined) journal.detail = detailOf(known);
      // Nothing has been passed on: the client is told of the failure in the answer's place.
      if (bytes === 0) journal.status = errorTable[journal.code].status;
    }
    settle(this.#exchange, this.#settled, this.#clock);
  }
}

function noteError({ journal }: Exchange, error: GatewayError): void {
  journal.status = error.status;
  journal.code = error.code;
  journal.source = 'refused';
  journal.detail = detailOf(error);
}

/** What lies behind an error names hosts and paths: the log may say it, the client's message never does. */
function detailOf({ code, message, cause }: GatewayError): string {
  if (!(cause instanceof Error)) return message;
  // Only for a fault of our own it matters where it was.
  return `${message}: ${code === 'internal' ? (cause.stack ?? cause.message) : cause.message}`;
}

function settle(exchange: Exchange, settled: Topic<Exchange>, clock: Clock): void {
  exchange.meetDeadline();
  exchange.journal.endedAtMs = clock.nowMs();
  settled.publish(exchange);
}
