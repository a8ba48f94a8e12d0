import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** One answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  /** The value of a header, several lines joined by a comma; null for none. */
  header(name: string): string | null;
  readonly body: string;
}

/** A client that speaks bytes, so that a test can say what no decent client says. */
export class RawClient {
  readonly socket: Socket;
  /** All that came and was not taken as an answer yet. */
  held = Buffer.alloc(0);
  /** Resolves when the connection is gone, with the code of the error that ended it, or null. */
  readonly closed: Promise<string | null>;
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(to: string | NetConnectOpts) {
    this.socket = connect(typeof to === 'string' ? { host: new URL(to).hostname, port: Number(new URL(to).port) } : to);
    let code: string | null = null;
    this.socket.on('data', (chunk: Buffer) => {
      this.held = Buffer.concat([this.held, chunk]);
      this.#wake?.();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message;
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve(code);
      });
    });
  }

  send(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  /** Goes away at once, as a killed process does; a reset where asked. */
  leave(how: 'closed' | 'reset' = 'closed'): void {
    if (how === 'reset') this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  /** The next whole answer. Throws with what there is when the connection ends before. */
  async answer(toMethod = 'GET'): Promise<RawAnswer> {
    for (;;) {
      const taken = takeAnswer(this.held, toMethod, this.#isClosed);
      if (taken !== null) {
        this.held = taken.rest;
        return taken.answer;
      }
      if (this.#isClosed)
        throw new Error(`the connection ended after: ${JSON.stringify(this.held.toString('latin1'))}`);
      await this.more();
    }
  }

  /** Resolves with all that is held when a pattern is found in it. Throws with what there is when the connection ends before. */
  async untilFound(pattern: RegExp): Promise<string> {
    for (;;) {
      const text = this.held.toString('latin1');
      if (pattern.test(text)) return text;
      if (this.#isClosed) throw new Error(`the connection ended without ${pattern}: ${JSON.stringify(text)}`);
      await this.more();
    }
  }

  /** Resolves when something more has come, or the connection has gone. */
  more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Sends one request on a connection of its own and takes the answer. */
export async function ask(to: string | NetConnectOpts, request: string | Buffer, toMethod = 'GET'): Promise<RawAnswer> {
  const client = new RawClient(to);
  try {
    return await client.send(request).answer(toMethod);
  } finally {
    client.leave();
  }
}

interface Head {
  readonly line?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

/** The bytes of a request with a body of known length. */
export function request({ line = 'POST /v2/models/m/infer', host = 'localhost', headers = [], body }: Head): string {
  const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return `${[`${line} HTTP/1.1`, `host: ${host}`, ...length, ...headers].join('\r\n')}\r\n\r\n${body ?? ''}`;
}

interface Taken {
  readonly answer: RawAnswer;
  readonly rest: Buffer<ArrayBuffer>;
}

/** Cuts one answer off the bytes; null while it has not come whole. Interim answers are passed over. */
function takeAnswer(bytes: Buffer<ArrayBuffer>, toMethod: string, isClosed: boolean): Taken | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN);
  const rest = bytes.subarray(headEnd + 4);
  if (status < 200) return takeAnswer(rest, toMethod, isClosed);
  const header = (name: string): string | null => {
    const found = [...head.matchAll(new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'gi'))].map((match) => match[1] ?? '');
    return found.length === 0 ? null : found.join(', ');
  };
  const body = takeBody(rest, { hasNone: toMethod === 'HEAD' || status === 204 || status === 304, header, isClosed });
  return body === null
    ? null
    : { answer: { status, head, header, body: body.text }, rest: rest.subarray(body.sizeBytes) };
}

interface Framing {
  readonly hasNone: boolean;
  readonly isClosed: boolean;
  header(name: string): string | null;
}

function takeBody(
  bytes: Buffer<ArrayBuffer>,
  { hasNone, header, isClosed }: Framing,
): { text: string; sizeBytes: number } | null {
  if (hasNone) return { text: '', sizeBytes: 0 };
  const length = header('content-length');
  if (length !== null) {
    const sizeBytes = Number(length);
    return bytes.length < sizeBytes ? null : { text: bytes.toString('latin1', 0, sizeBytes), sizeBytes };
  }
  if (header('transfer-encoding') === 'chunked') return takeChunks(bytes);
  return isClosed ? { text: bytes.toString('latin1'), sizeBytes: bytes.length } : null;
}

function takeChunks(bytes: Buffer<ArrayBuffer>): { text: string; sizeBytes: number } | null {
  let text = '';
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return null;
    if (size === 0) return { text, sizeBytes: end };
    text += bytes.toString('latin1', lineEnd + 2, end - 2);
    at = end;
  }
}
