import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';

// The least a relay in Node can do: take a request in, send it on, send the answer back. No routing, no limits, no log, no timeouts.
// What a gateway costs is measured against it.

const [port, backendPort] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${backendPort}`, { pipelining: 1, allowH2: false });
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'host',
  'te',
  'upgrade',
  'proxy-connection',
  'trailer',
]);

createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => relay(request, chunks.length === 1 ? (chunks[0] ?? null) : Buffer.concat(chunks), response));
}).listen(port, '127.0.0.1', () => process.send?.('ready'));

function relay(
  { method = 'GET', url = '/', rawHeaders }: IncomingMessage,
  body: Buffer | null,
  response: ServerResponse,
): void {
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!hopByHop.has(name.toLowerCase())) headers.push(name, rawHeaders[at + 1] ?? '');
  }
  pool.dispatch({ path: url, method, headers, body }, new RelayHandler(response));
}

class RelayHandler implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    fields: Record<string, string | string[] | undefined>,
  ): void {
    const headers: string[] = [];
    for (const name in fields) {
      const value = fields[name];
      if (typeof value === 'string' && !hopByHop.has(name)) headers.push(name, value);
    }
    this.#response.writeHead(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}
