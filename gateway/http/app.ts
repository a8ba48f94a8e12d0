import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Generation } from '../pipeline/generation.ts';
import type { Endpoint, Protocol } from '../pipeline/protocol.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve } from '../pipeline/stage.ts';
import type { Connection } from './connection.ts';
import { refuseForeignHost } from './host-check.ts';
import { type NodeContext, openExchange } from './open-exchange.ts';
import { type Directory, ownAnswers } from './own-answers.ts';
import { errorReply } from './write-error.ts';
import { writeReply } from './write-reply.ts';

interface Parts {
  readonly serve: Serve;
  /** The one that exchanges opened now belong to. */
  current(): Generation;
  readonly protocols: readonly Protocol[];
  /** Speaks to those whose path belongs to no protocol. */
  readonly fallbackProtocol: Protocol;
  readonly directory: Directory;
  /** Whether the port is bound to a loopback address. */
  readonly isLoopback: boolean;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Whether the gateway takes no more work: connections are then not kept. */
  isClosing(): boolean;
  /** A reply could not be written, through a fault of the gateway's own; its connection has been closed. */
  onFault(error: unknown): void;
}

const noEndpoint: Endpoint = { operation: 'none', method: 'GET', pattern: '*', hasBody: false };

/**
 * The routes of the client port. Inference goes through the stages on Node's own request and response; the body never becomes a web
 * `Response`. No middleware may be added: the shared response that says "already sent" would carry its headers from one request to the next.
 */
export function clientApp(parts: Parts): Hono<{ Bindings: Connection }> {
  const app = new Hono<{ Bindings: Connection }>();
  for (const [path, answer] of Object.entries(ownAnswers(parts.directory))) {
    app.get(path, (context) => {
      if (judge(context, parts) !== null) return handle(context, parts.fallbackProtocol, noEndpoint, parts);
      const { status, value } = answer();
      return context.json(value, status);
    });
  }
  mountEndpoints(app, parts.protocols, (context, protocol, endpoint) => handle(context, protocol, endpoint, parts));
  app.notFound((context) => handle(context, parts.fallbackProtocol, noEndpoint, parts));
  return app;
}

type Handler = (context: NodeContext, protocol: Protocol, endpoint: Endpoint) => Response;

/** Has a handler called for every endpoint of every protocol. */
export function mountEndpoints(
  app: Hono<{ Bindings: Connection }>,
  protocols: readonly Protocol[],
  handler: Handler,
): void {
  for (const protocol of protocols) {
    for (const endpoint of protocol.endpoints) {
      app.on(endpoint.method, endpoint.pattern, (context) => handler(context, protocol, endpoint));
    }
  }
}

/** Tells Hono at once that the answer is taken care of: waiting for it there would cost four more promises a request. */
function handle(context: NodeContext, protocol: Protocol, endpoint: Endpoint, parts: Parts): Response {
  const { clock, wheel } = parts;
  const exchange = openExchange(context, { generation: parts.current(), protocol, endpoint, clock, wheel });
  const refusal = judge(context, parts) ?? (endpoint === noEndpoint ? noSuchEndpoint(context, parts) : null);
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
    addOwnHeaders(reply, exchange);
    if (allowed !== null) reply.headers.push('allow', allowed.join(', '));
    writeReply(reply, connection, {
      time: parts,
      isLast: parts.isClosing(),
      insteadOfNothing: () => brokenOff(exchange),
    });
  } catch (error) {
    reply.body.discard();
    connection.outgoing.destroy();
    parts.onFault(error);
  }
}

/** What a client is told whose answer had a head but broke off before its first byte. */
function brokenOff(exchange: Exchange): Reply {
  const { cancellation, journal, protocol } = exchange;
  const broken = new GatewayError('upstream_broken', `replica ${journal.replica} broke off before it had answered`);
  const reply = errorReply(cancellation.reason ?? broken, protocol);
  addOwnHeaders(reply, exchange);
  return reply;
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

/** The methods that something answers at a path; RFC 9110 section 15.5.6 has a 405 say them. */
function methodsAt(path: string, { protocols, directory }: Parts): string[] {
  const own = Object.keys(ownAnswers(directory)).map((pattern) => ({ method: 'GET', pattern }));
  const there = [...own, ...protocols.flatMap((one) => one.endpoints)].filter(({ pattern }) => isPathOf(pattern, path));
  return [...new Set(there.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}

/** Whether a path fits a pattern whose parameters are each one segment. */
function isPathOf(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => (part.startsWith(':') ? given[at] !== '' : part === given[at]))
  );
}

function addOwnHeaders({ headers }: Reply, { id, journal }: Exchange): void {
  headers.push('x-request-id', id);
  if (journal.replica !== '') headers.push('x-headgate-replica', headerText(journal.replica));
  const { model, upstreamModel } = journal;
  if (upstreamModel !== model && upstreamModel !== '') headers.push('x-headgate-model', headerText(upstreamModel));
}

/** Names in the configuration may hold characters that headers may not. */
function headerText(name: string): string {
  return /^[ -~]*$/.test(name) ? name : encodeURI(name);
}
