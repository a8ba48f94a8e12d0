import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import { newRequestId } from '../kernel/rng.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import { Exchange } from '../pipeline/exchange.ts';
import type { Generation } from '../pipeline/generation.ts';
import { rawPathOf } from '../protocols/raw-path.ts';
import type { Connection } from './connection.ts';
import { IncomingBody } from './read-body.ts';
import type { Reading } from './readings.ts';

interface Options {
  readonly generation: Generation;
  readonly reading: Reading;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

/** What Hono hands to a handler under its Node adapter. */
export type NodeContext = Context<{ Bindings: Connection }>;

const acceptableId = /^[\w\-=]{1,255}$/;

/** Makes an exchange of a request's head: its id, its deadline, and the client's departure from now on. */
export function openExchange(context: NodeContext, { generation, reading, clock, wheel }: Options): Exchange {
  const { incoming, outgoing } = context.env;
  const { headers, method = 'GET', url = '/' } = incoming;
  const { protocol, endpoint, params } = reading;
  const queryAt = url.indexOf('?');
  const exchange = new Exchange({
    id: requestIdOf(incoming),
    receivedAtMs: clock.nowMs(),
    generation,
    protocol,
    head: {
      method,
      path: context.req.path,
      rawPath: rawPathOf(url),
      query: queryAt < 0 ? '' : url.slice(queryAt),
      params,
      endpoint,
      headers,
    },
    incoming: new IncomingBody(incoming, outgoing),
    wheel,
  });
  takeClientDeadline(exchange);
  // Nobody wants such a body; left unread it would keep the client's departure from being seen.
  if (!endpoint.hasBody && hasBody(headers['content-length'], headers['transfer-encoding'])) incoming.resume();
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) exchange.cancellation.cancel(clientLeft());
  });
  return exchange;
}

/** The id that a client gave its request where it is acceptable, else a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && acceptableId.test(given) ? given : newRequestId();
}

/** Whether a request has a body, by its `content-length` and `transfer-encoding` (RFC 9112 section 6.3); an empty one is none. */
export function hasBody(length: string | undefined, encoding: string | undefined): boolean {
  return encoding !== undefined || (length !== undefined && length !== '0');
}

/** Up to 30,000 years: beyond it a number would go upstream with an exponent. */
const decimal = /^\d{1,15}(\.\d+)?$/;

/** OpenAI's clients send their timeout in whole seconds, rounded down: it ends within the second after a whole number. */
const deadlineHeaders = [
  { name: 'x-request-timeout-ms', unitMs: 1, unit: 'milliseconds', least: Number.MIN_VALUE, addedMs: 0 },
  { name: 'x-stainless-timeout', unitMs: 1000, unit: 'seconds', least: 0, addedMs: 1000 },
] as const;

/** Applies the time limits a client set for its request. One that is no time cancels the exchange: it is then refused like any other. */
function takeClientDeadline(exchange: Exchange): void {
  for (const { name, unitMs, unit, least, addedMs } of deadlineHeaders) {
    const given = exchange.head.headers[name];
    if (given === undefined) continue;
    const count = typeof given === 'string' && decimal.test(given) ? Number(given) : -1;
    if (count >= least)
      exchange.cutTo(exchange.receivedAtMs + count * unitMs + (Number.isInteger(count) ? addedMs : 0));
    else
      exchange.cancellation.cancel(
        new GatewayError('invalid_request', `${name}: got ${given}, wanted ${unit}${least > 0 ? ' above 0' : ''}`, {
          field: name,
        }),
      );
  }
}

function clientLeft(): GatewayError {
  return new GatewayError('client_left', 'the client left before it was answered');
}
