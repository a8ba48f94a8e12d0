import { eventually } from './gateway-process.ts';
import { RawClient, request } from './raw-client.ts';

/** What has come of a streamed answer so far. */
interface Streamed {
  /** 0 before the head has come. */
  readonly status: number;
  readonly head: string;
  /** The body without its framing. */
  readonly bytes: Buffer;
  /** Whether the answer has come to its proper end. */
  readonly isWhole: boolean;
}

/** A client that takes its answer as it comes, every byte of it. */
export class StreamClient extends RawClient {
  get streamed(): Streamed {
    return takeStream(this.held);
  }

  /** Waits until what has come is as wanted; throws with what there is when it does not become so. */
  async until(what: string, holds: (streamed: Streamed) => boolean, withinMs = 10_000): Promise<Streamed> {
    try {
      await eventually(what, () => holds(this.streamed), withinMs);
    } catch (error) {
      throw new Error(`there is only: ${JSON.stringify(this.held.toString('latin1'))}`, { cause: error });
    }
    return this.streamed;
  }
}

/** A request for a completion; what is asked for besides the model is a stream, unless said otherwise. */
export function chat(model: string, more: object = { stream: true }, headers: readonly string[] = []): string {
  return request({ line: 'POST /v1/chat/completions', headers, body: JSON.stringify({ model, ...more }) });
}

/** The head of a chunked stream of events. */
export const eventStreamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';

/** One chunk of a chunked body. */
export function chunkOf(bytes: string | Buffer): Buffer {
  const content = Buffer.from(bytes as string);
  return Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n')]);
}

/** What ends a chunked body. */
export const lastChunk = '0\r\n\r\n';

function takeStream(held: Buffer): Streamed {
  const headEnd = held.indexOf('\r\n\r\n');
  if (headEnd < 0) return { status: 0, head: '', bytes: Buffer.alloc(0), isWhole: false };
  const head = held.toString('latin1', 0, headEnd);
  const status = Number(head.split(' ')[1]);
  const rest = held.subarray(headEnd + 4);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return { status, head, bytes: rest, isWhole: rest.length >= Number(length) };
  return { status, head, ...takeChunks(rest) };
}

/** Of a chunk under way, what has come of it. */
function takeChunks(rest: Buffer): Pick<Streamed, 'bytes' | 'isWhole'> {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd < 0) return { bytes: Buffer.concat(pieces), isWhole: false };
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error(`no chunk at ${at} of ${JSON.stringify(rest.toString('latin1'))}`);
    const end = lineEnd + 2 + size;
    if (size === 0) return { bytes: Buffer.concat(pieces), isWhole: rest.length >= end + 2 };
    pieces.push(rest.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
