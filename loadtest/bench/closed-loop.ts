import { connect, type Socket } from 'node:net';

interface Options {
  readonly port: number;
  readonly connections: number;
  /** A whole request, head and body. */
  readonly request: Buffer;
}

/** Clients that each send the next request when the last is answered, over connections they keep. Counts answers; any but 200 is an error. */
export class ClosedLoop {
  readonly #request: Buffer;
  readonly #sockets: Socket[];
  answered = 0;
  /** What went wrong first. */
  failure: Error | null = null;

  constructor({ port, connections, request }: Options) {
    this.#request = request;
    this.#sockets = Array.from({ length: connections }, () => this.#open(port));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(port: number): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let held: Buffer = Buffer.alloc(0);
    socket.on('connect', () => socket.write(this.#request));
    socket.on('data', (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const end = endOfAnswer(held);
      if (end === null) return;
      if (!held.subarray(0, 12).equals(okStart)) this.failure ??= new Error(held.toString('latin1', 0, 300));
      held = held.subarray(end);
      this.answered += 1;
      socket.write(this.#request);
    });
    socket.on('error', (error) => {
      this.failure ??= error;
    });
    return socket;
  }
}

const okStart = Buffer.from('HTTP/1.1 200');

/** Where the first answer in the bytes ends, or null while it has not come whole. */
function endOfAnswer(bytes: Buffer): number | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, headEnd));
  if (length?.[1] !== undefined) {
    const end = headEnd + 4 + Number(length[1]);
    return bytes.length >= end ? end : null;
  }
  const lastChunk = bytes.indexOf('\r\n0\r\n\r\n', headEnd);
  return lastChunk < 0 ? null : lastChunk + 7;
}
