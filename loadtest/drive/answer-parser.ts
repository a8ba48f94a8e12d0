/** The top of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; of several with one name, the last. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Is told of an answer as its bytes come. */
export interface AnswerEvents {
  head(head: AnswerHead): void;
  /** A part of the body, which is overwritten afterwards. */
  body(bytes: Buffer, from: number, until: number): void;
  /** The last byte has come. */
  end(): void;
}

/** Bytes that are no answer. */
export class BrokenAnswer extends Error {}

type Stage = 'head' | 'sized' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers' | 'until close' | 'done';

/** More is no head, but something that will never end. */
const longestHeadBytes = 65_536;

/**
 * Reads one answer of HTTP/1.1 to a POST after the other. It keeps no bytes of bodies and makes no copies, which is what lets one process follow
 * tens of thousands of tokens a second.
 */
export class AnswerParser {
  /** Whether the connection can be used again once the answer is there. */
  keepsAlive = true;
  readonly #events: AnswerEvents;
  #stage: Stage = 'done';
  /** The beginning of a line, or of the head, whose end is still to come. */
  #held = '';
  #leftBytes = 0;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** A request has been sent: what comes now answers it. */
  expect(): void {
    this.#stage = 'head';
    this.#held = '';
    this.keepsAlive = true;
  }

  /** Takes the first `size` bytes. Throws a `BrokenAnswer`. */
  take(bytes: Buffer, size: number): void {
    let at = 0;
    while (at < size) {
      // What nobody asked for belongs to no request, and what follows would not either.
      if (this.#stage === 'done') throw new BrokenAnswer('bytes that answer nothing');
      at = this.#step(bytes, at, size);
    }
  }

  /** The connection has ended, which is the end of some answers. Throws a `BrokenAnswer` for others. */
  close(): void {
    if (this.#stage === 'until close') this.#end();
    else if (this.#stage !== 'done') throw new BrokenAnswer('the connection ended before the answer');
  }

  /** Gives where to go on. */
  #step(bytes: Buffer, at: number, size: number): number {
    switch (this.#stage) {
      case 'head':
        return this.#takeHead(bytes, at, size);
      case 'sized':
      case 'chunk':
        return this.#takeBody(bytes, at, size);
      case 'until close':
        this.#events.body(bytes, at, size);
        return size;
      default:
        return this.#takeLine(bytes, at, size);
    }
  }

  #takeHead(bytes: Buffer, at: number, size: number): number {
    const text = this.#held + bytes.toString('latin1', at, size);
    const end = text.indexOf('\r\n\r\n', Math.max(0, this.#held.length - 3));
    if (end < 0) {
      if (text.length > longestHeadBytes) throw new BrokenAnswer('a head without an end');
      this.#held = text;
      return size;
    }
    const next = at + end + 4 - this.#held.length;
    this.#held = '';
    this.#begin(text.slice(0, end));
    return next;
  }

  #begin(text: string): void {
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
    if (Number.isNaN(status)) throw new BrokenAnswer('no HTTP/1.1');
    // 100 and 103 announce the answer that follows.
    if (status < 200) return;
    const headers = headersOf(text);
    const length = headers.get('content-length');
    const connection = headers.get('connection')?.toLowerCase();
    this.keepsAlive = text.startsWith('HTTP/1.1') ? connection !== 'close' : connection === 'keep-alive';
    this.#leftBytes = status === 204 || status === 304 ? 0 : Number(length);
    this.#stage =
      this.#leftBytes !== 0 && /\bchunked$/i.test(headers.get('transfer-encoding') ?? '')
        ? 'chunk size'
        : Number.isNaN(this.#leftBytes)
          ? 'until close'
          : 'sized';
    if (this.#stage === 'until close') this.keepsAlive = false;
    this.#events.head({ status, headers });
    if (this.#stage === 'sized' && this.#leftBytes === 0) this.#end();
  }

  #takeBody(bytes: Buffer, at: number, size: number): number {
    const until = Math.min(size, at + this.#leftBytes);
    this.#leftBytes -= until - at;
    this.#events.body(bytes, at, until);
    if (this.#leftBytes > 0) return until;
    if (this.#stage === 'sized') this.#end();
    else this.#stage = 'chunk end';
    return until;
  }

  #takeLine(bytes: Buffer, at: number, size: number): number {
    const end = bytes.indexOf(lineFeed, at);
    if (end < 0 || end >= size) {
      this.#held += bytes.toString('latin1', at, size);
      if (this.#held.length > longestHeadBytes) throw new BrokenAnswer('a line without an end');
      return size;
    }
    const line = (this.#held + bytes.toString('latin1', at, end)).trimEnd();
    this.#held = '';
    if (this.#stage === 'chunk end') this.#stage = 'chunk size';
    else if (this.#stage === 'chunk size') this.#beginChunk(line);
    else if (line === '') this.#end();
    return end + 1;
  }

  #beginChunk(line: string): void {
    const [size = ''] = line.split(';', 1);
    if (!/^[\da-f]{1,8}\s*$/i.test(size)) throw new BrokenAnswer('a chunk without a size');
    this.#leftBytes = Number.parseInt(size, 16);
    this.#stage = this.#leftBytes === 0 ? 'trailers' : 'chunk';
  }

  #end(): void {
    this.#stage = 'done';
    this.#events.end();
  }
}

const lineFeed = 10;

function headersOf(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = text.indexOf('\r\n'); at >= 0; ) {
    const next = text.indexOf('\r\n', at + 2);
    const line = next < 0 ? text.slice(at + 2) : text.slice(at + 2, next);
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    at = next;
  }
  return headers;
}
