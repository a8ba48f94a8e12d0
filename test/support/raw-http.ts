import { connect } from 'node:net';

/** An answer as its bytes came over the socket. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; of several of one name the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** Sent as they are, in this order; `host` and `connection: close` are put in front of them. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

const answerWithinMs = 20_000;

/** Sends a request exactly as it is written, also one that no HTTP library would send, and reads the answer until the connection is closed. */
export function sendRaw(
  url: string,
  { method = 'GET', path, headers = [], body = new Uint8Array(0) }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(url);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    'connection: close',
    ...headers.map((pair) => pair.join(': ')),
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.setTimeout(answerWithinMs, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      try {
        resolve(parseRaw(Buffer.concat(chunks), method === 'HEAD'));
      } catch (error) {
        reject(error);
      }
    });
    socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
  });
}

function parseRaw(bytes: Buffer, isHead: boolean): RawAnswer {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) throw new Error(`no head in ${JSON.stringify(bytes.toString('latin1'))}`);
  const [first = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const rest = bytes.subarray(headEnd + 4);
  const status = Number(first.split(' ')[1]);
  // An informational answer comes before the real one.
  if (status < 200) return parseRaw(rest, isHead);
  if (isHead) return { status, headers, body: rest };
  const body = headers['transfer-encoding'] === 'chunked' ? unchunk(rest) : rest;
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== body.length)
    throw new Error(`content-length ${length} in front of ${body.length} bytes`);
  return { status, headers, body };
}

function unchunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error('a chunked body that breaks off');
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
