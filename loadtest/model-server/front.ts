import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PortError } from '../../gateway/kernel/port-error.ts';
import type { AnswerHeaders, Asked } from './asked.ts';
import type { Endpoint } from './endpoint.ts';
import type { Condition } from './fault-script.ts';
import { ownAnswer, type ShortAnswer } from './own-answers.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** A simulated server with a port. */
export interface Front {
  readonly port: number;
  /** Begins anew: time, chance, faults, and nothing in it. */
  restart(): void;
  /** Cuts whatever is under way. */
  close(): Promise<void>;
}

/** All that Linux lets wait to be accepted by default: of Node's own 511 a burst of new clients has some turned away, who come again a second later. */
const longestBacklog = 4096;

/** As Triton has it by default. */
const maxBodyBytes = 64 * 1024 * 1024;

/** Puts a simulated server behind a port of its own. */
export async function openFront(
  server: SimulatedServer,
  endpoint: Endpoint,
  { host, port }: { host: string; port: number },
): Promise<Front> {
  const sockets = new Set<Socket>();
  const http = createServer({ keepAliveTimeout: 65_000, headersTimeout: 10_000, noDelay: true }, (request, response) =>
    receive({ server, endpoint, request, response, busy, isClosing: !http.listening }),
  );
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that resets its connection is no fault of ours.
    socket.on('error', () => {});
  });
  // Those on which somebody waits for an answer.
  const busy = new Set<Socket>();
  server.onEmptied = () => resetAll(busy);
  const at = { host, port };
  at.port = await listen(http, at);
  if (!isOpen(server.condition)) http.close();
  server.onCondition = (condition) => {
    if (condition === 'dead') resetAll(sockets);
    if (!isOpen(condition)) http.close();
    else if (!http.listening) http.listen({ ...at, backlog: longestBacklog });
  };
  return {
    port: at.port,
    restart: () => server.restart(),
    async close() {
      server.close();
      resetAll(sockets);
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function resetAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.resetAndDestroy();
}

function isOpen(condition: Condition): boolean {
  return condition === 'up' || condition === 'starting';
}

/** The port that it listens on. */
function listen(http: Server, at: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(new PortError(`${at.host}:${at.port}`, cause));
    http.once('error', fail);
    http.listen({ ...at, backlog: longestBacklog }, () => {
      http.off('error', fail);
      resolve((http.address() as AddressInfo).port);
    });
  });
}

interface Received {
  readonly server: SimulatedServer;
  readonly endpoint: Endpoint;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly busy: Set<Socket>;
  readonly isClosing: boolean;
}

/** Reads the body; a request arrives when the last of it is there. */
function receive(received: Received): void {
  const { server, request, response, busy, isClosing } = received;
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  request.on('data', (piece: Buffer) => {
    sizeBytes += piece.length;
    if (sizeBytes <= maxBodyBytes) pieces.push(piece);
  });
  request.on('end', () => {
    response.setHeader('x-simulated-server', server.settings.name);
    if (isClosing) response.setHeader('connection', 'close');
    const isTooLarge = sizeBytes > maxBodyBytes;
    const short = isTooLarge
      ? refusal(received, 413, `the body is over ${maxBodyBytes} bytes`)
      : answer(received, Buffer.concat(pieces));
    if (short !== null) {
      tell(response, short);
      return;
    }
    busy.add(request.socket);
    response.once('close', () => busy.delete(request.socket));
  });
}

/** What is to be told at once; null where the answer comes later, or never. */
function answer(received: Received, body: Buffer): ShortAnswer | null {
  const { server, endpoint, request, response } = received;
  const [path = ''] = (request.url ?? '').split('?');
  if (!endpoint.matches(path)) return ownAnswer(server, request.method ?? '', path);
  if (request.method !== 'POST') return refusal(received, 405, `got ${request.method}, wanted POST`, { allow: 'POST' });
  if (server.condition === 'starting') return refusal(received, 503, 'the model is still being loaded');
  const fate = server.fate();
  switch (fate.kind) {
    case 'fail':
      return refusal(received, fate.status, 'simulated failure', retryAfter(fate.retryAfterMs));
    case 'hang':
      return null;
    case 'reset':
      request.socket.resetAndDestroy();
      return null;
    default:
      return compute(received, { request, response, path, body, breaks: fate.kind === 'break' ? fate : null });
  }
}

function compute(received: Received, asked: Asked): ShortAnswer | null {
  const { server, endpoint } = received;
  const { models, refusalStatus } = server.settings;
  const reading = endpoint.read(asked);
  if ('status' in reading) return refusal(received, reading.status, reading.message);
  const { model } = reading;
  if (!models.includes(model))
    return refusal(received, 404, `there is no model ${model}; there are ${models.join(', ')}`);
  const wrong = reading.start();
  // Also where nothing was taken in: the engine has been told the time.
  server.rearm();
  if (wrong === 'full') return refusal(received, refusalStatus, 'too many requests wait already', retryAfter(1000));
  return wrong === null ? null : refusal(received, wrong.status, wrong.message);
}

function retryAfter(afterMs: number | null): AnswerHeaders {
  return afterMs === null ? {} : { 'retry-after': Math.ceil(afterMs / 1000) };
}

function refusal({ endpoint }: Received, status: number, message: string, headers: AnswerHeaders = {}): ShortAnswer {
  return { status, headers, body: endpoint.errorBody(status, message) };
}

function tell(response: ServerResponse, { status, headers, body }: ShortAnswer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const sizeBytes = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': 'application/json', ...headers, 'content-length': sizeBytes });
  response.end(text);
}
