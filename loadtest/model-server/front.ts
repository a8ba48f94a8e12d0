import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PortError } from '../../gateway/kernel/port-error.ts';
import type { Answer, AnswerHeaders } from './asked.ts';
import type { Endpoint } from './endpoint.ts';
import { isOpen, Reception } from './reception.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** A simulated server with a port. */
export interface Front {
  readonly port: number;
  /** Begins anew: time, chance (of another seed where one is given), faults, and nothing in it. */
  restart(seed?: number): void;
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
  // Those on which somebody waits for an answer.
  const busy = new Set<Socket>();
  const reception = new Reception(server, endpoint);
  const http = createServer(
    { keepAliveTimeout: 65_000, headersTimeout: 10_000, noDelay: true },
    (request, response) => {
      if (!http.listening) response.setHeader('connection', 'close');
      receive(reception, request, new SocketAnswer(response), () => {
        busy.add(request.socket);
        response.once('close', () => busy.delete(request.socket));
      });
    },
  );
  const sockets = openSocketsOf(http);
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
    restart: (seed) => server.restart(seed),
    async close() {
      server.close();
      resetAll(sockets);
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function openSocketsOf(http: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that resets its connection is no fault of ours.
    socket.on('error', () => {});
  });
  return sockets;
}

function resetAll(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.resetAndDestroy();
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

/** Reads the body; a request arrives when the last of it is there. Calls once where it is answered later, or never. */
function receive(reception: Reception, incoming: IncomingMessage, answer: SocketAnswer, onWaiting: () => void): void {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  incoming.on('data', (piece: Buffer) => {
    sizeBytes += piece.length;
    if (sizeBytes <= maxBodyBytes) pieces.push(piece);
  });
  incoming.on('end', () => {
    if (sizeBytes > maxBodyBytes) {
      reception.refuse(answer, 413, `the body is over ${maxBodyBytes} bytes`);
      return;
    }
    const { method = '', url = '', headers } = incoming;
    const [path = ''] = url.split('?');
    if (reception.receive({ method, path, headers, body: Buffer.concat(pieces) }, answer)) onWaiting();
  });
}

/** An answer on Node's own response. */
class SocketAnswer implements Answer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  whole(status: number, headers: AnswerHeaders, body: Buffer): void {
    this.#response.writeHead(status, { ...headers, 'content-length': body.length });
    this.#response.end(body);
  }

  begin(status: number, headers: AnswerHeaders): void {
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
  }

  write(piece: Buffer | string): void {
    this.#response.write(piece, 'latin1');
  }

  end(last: string): void {
    this.#response.end(last, 'latin1');
  }

  reset(): void {
    const { socket } = this.#response;
    if (this.hasBegun) this.#response.write('', () => socket?.resetAndDestroy());
    else socket?.resetAndDestroy();
  }

  onLost(call: () => void): void {
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) call();
    });
  }
}
