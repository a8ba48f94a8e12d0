import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import { cacheStatus } from '../pipeline/cache-status.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { explanationOf } from '../pipeline/explanation.ts';
import type { Generation } from '../pipeline/generation.ts';
import { withoutHeaders } from '../pipeline/headers.ts';
import type { Endpoint, Protocol } from '../pipeline/protocol.ts';
import type { Reply } from '../pipeline/reply.ts';
import { serverTiming } from '../pipeline/server-timing.ts';
import type { Serve } from '../pipeline/stage.ts';
import { openInference } from '../protocols/open-inference.ts';
import { openai } from '../protocols/openai.ts';
import { breakConnection } from './break-connection.ts';
import type { Connection, Time } from './connection.ts';
import { refuseForeignHost } from './host-check.ts';
import { type NodeContext, openExchange, requestIdOf } from './open-exchange.ts';
import type { Directory } from './own-answers.ts';
import { methodsAt, mountReadings, type Reading } from './readings.ts';
import { errorReply } from './write-error.ts';
import { type Writing, writeReply } from './write-reply.ts';

interface Parts {
  readonly serve: Serve;
  /** The one that exchanges opened now belong to. */
  current(): Generation;
  readonly protocols: readonly Protocol[];
  readonly directory: Directory;
  /** Whether the port is bound to a loopback address. */
  readonly isLoopback: boolean;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** A reply could not be written, through a fault of the gateway's own; its connection has been closed. */
  onFault(error: unknown): void;
}

/**
 * The routes of the client port. Inference goes through the stages on Node's own request and response; the body never becomes a web
 * `Response`. No middleware may be added: the shared response that says "already sent" would carry its headers from one request to the next.
 */
export function clientApp(parts: Parts): Hono<{ Bindings: Connection }> {
  const app = new Hono<{ Bindings: Connection }>();
  mountReadings(app, parts, {
    read: (context, reading) => handle(context, reading, null, parts),
    own(context, answer) {
      if (judge(context, parts) !== null) return handle(context, nothingThere(context), null, parts);
      const { status, value } = answer();
      return context.json(value, status, { 'x-request-id': requestIdOf(context.env.incoming) });
    },
    unknown: (context, refusal) => handle(context, nothingThere(context), refusal, parts),
    none: (context) => handle(context, nothingThere(context), noSuchEndpoint(context, parts), parts),
  });
  return app;
}

const noEndpoint: Endpoint = { operation: 'none', method: 'GET', pattern: '*', hasBody: false };

/** Who speaks to those whose path belongs to no protocol. */
function nothingThere({ req }: NodeContext): Reading {
  return { protocol: /^\/v1(?:\/|$)/.test(req.path) ? openai : openInference, endpoint: noEndpoint, params: {} };
}

/** Tells Hono at once that the answer is taken care of: waiting for it there would cost four more promises a request. */
function handle(context: NodeContext, reading: Reading, fault: GatewayError | null, parts: Parts): Response {
  const { clock, wheel } = parts;
  const exchange = openExchange(context, { generation: parts.current(), reading, clock, wheel });
  const refusal = judge(context, parts) ?? fault;
  if (refusal !== null) exchange.cancellation.cancel(refusal);
  const allowed = refusal?.code === 'method_not_allowed' ? methodsAt(context.req.path, parts) : null;
  void answer(exchange, context.env, allowed, parts);
  return RESPONSE_ALREADY_SENT;
}

/** Never rejects. */
async function answer(
  exchange: Exchange,
  connection: Connection,
  allowed: readonly string[] | null,
  parts: Parts,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await parts.serve(exchange);
  } catch (error) {
    reply = errorReply(error, exchange.protocol);
  }
  try {
    // On a loopback port no page of another origin may read anything, whatever a replica would let it.
    if (parts.isLoopback && exchange.head.headers.origin !== undefined)
      reply = { ...reply, headers: withoutHeaders(reply.headers, (name) => name.startsWith('access-control-')) };
    addOwnHeaders(reply, exchange, parts);
    if (allowed !== null) reply.headers.push('allow', allowed.join(', '));
    writeReply(reply, connection, new ExchangeWriting(exchange, parts));
  } catch (error) {
    reply.body.discard();
    breakConnection(connection.outgoing);
    parts.onFault(error);
  }
}

/** How the answer of an exchange is written, and what its client is told when it breaks off. */
class ExchangeWriting implements Writing {
  readonly time: Time;
  readonly #exchange: Exchange;

  constructor(exchange: Exchange, parts: Parts) {
    this.#exchange = exchange;
    this.time = parts;
  }

  timing(): string {
    return serverTiming(this.#exchange, this.time.clock.nowMs());
  }

  insteadOfNothing(why?: GatewayError): Reply {
    const reply = errorReply(this.#failure(why), this.#exchange.protocol);
    addOwnHeaders(reply, this.#exchange, this.time);
    return reply;
  }

  lastEvent(why?: GatewayError): Uint8Array | null {
    const { protocol, head } = this.#exchange;
    return protocol.breakStream(this.#failure(why), head);
  }

  giveUp(why: GatewayError): void {
    this.#exchange.cancellation.cancel(why);
  }

  #failure(why?: GatewayError): GatewayError {
    const { cancellation, journal } = this.#exchange;
    const message = `replica ${journal.replica} broke off in its answer`;
    return cancellation.reason ?? why ?? new GatewayError('upstream_broken', message);
  }
}

/** What is wrong with a request as far as its head tells, whatever it asks for. */
function judge({ env: { incoming } }: NodeContext, { isLoopback }: Parts): GatewayError | null {
  return (
    (isLoopback ? refuseForeignHost(incoming) : null) ?? refuseTransferCoding(incoming.headers['transfer-encoding'])
  );
}

/** RFC 9112 section 6.1: what is not understood must be refused. Passed on, the body would have lost what says how it is coded. */
function refuseTransferCoding(coding: string | undefined): GatewayError | null {
  if (coding === undefined || coding.toLowerCase() === 'chunked') return null;
  const message = `transfer-encoding: got ${coding}, wanted chunked alone`;
  return new GatewayError('encoding_unsupported', message, { field: 'transfer-encoding' });
}

function noSuchEndpoint(context: NodeContext, parts: Parts): GatewayError {
  const { method, path } = context.req;
  const [other] = methodsAt(path, parts);
  if (other === undefined) return new GatewayError('not_found', `there is nothing at ${method} ${path}`);
  return new GatewayError('method_not_allowed', `${path}: got ${method}, wanted ${other}`);
}

function addOwnHeaders({ headers }: Reply, exchange: Exchange, { clock }: Time): void {
  const { id, journal, wantsExplanation } = exchange;
  headers.push('x-request-id', id);
  if (journal.cache !== null) {
    // Whoever asks why is told by which key an operator can have the answer forgotten.
    const key = wantsExplanation && exchange.sharing !== null ? `; key="${exchange.sharing.key}"` : '';
    headers.push('cache-status', cacheStatus(journal.cache, clock.wallMs()) + key);
  }
  if (journal.replica !== '') headers.push('x-headgate-replica', headerText(journal.replica));
  if (journal.decision !== null && wantsExplanation)
    headers.push('x-headgate-explain', explanationOf(journal.decision));
  // As the clients of OpenAI understand it: more tries of theirs would be what the budget is there to prevent.
  if (journal.isBudgetSpent) headers.push('x-should-retry', 'false');
  const { model, upstreamModel } = journal;
  if (upstreamModel !== model && upstreamModel !== '') headers.push('x-headgate-model', headerText(upstreamModel));
}

/** Names in the configuration may hold characters that headers may not. */
function headerText(name: string): string {
  return /^[ -~]*$/.test(name) ? name : encodeURI(name.toWellFormed());
}
