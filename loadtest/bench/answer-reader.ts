/** Reads the answers that come over one connection, one after the other, and counts what the comparison is about. */
export interface AnswerReader {
  /** Requests answered, or chunks received. */
  units: number;
  /** Reads from the socket that brought at least one of them. */
  reads: number;
  /** Takes what one read brought; true when that ends an answer. Throws when the answer is not the one expected. */
  take(bytes: Buffer): boolean;
}

/** Counts whole answers, each of which must have some text in its head. */
export class WholeAnswers implements AnswerReader {
  units = 0;
  reads = 0;
  readonly #wanted: string;
  #held: Buffer = Buffer.alloc(0);

  constructor(wanted = '') {
    this.#wanted = wanted;
  }

  take(bytes: Buffer): boolean {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = endOfAnswer(this.#held);
    if (end === null) return false;
    checkStatus(this.#held);
    if (!this.#held.includes(this.#wanted)) throw new Error(`no ${this.#wanted}: ${headOf(this.#held)}`);
    this.#held = this.#held.subarray(end);
    this.units += 1;
    this.reads += 1;
    return true;
  }
}

/** Counts server-sent events; each answer must bring all of them. */
export class StreamedAnswers implements AnswerReader {
  units = 0;
  reads = 0;
  readonly #wanted: number;
  #events = 0;
  /** The end of what has come, long enough to find an end of an event or of the answer that two reads share. */
  #tail = '';

  constructor(wantedEvents: number) {
    this.#wanted = wantedEvents;
  }

  take(bytes: Buffer): boolean {
    if (this.#tail === '') checkStatus(bytes);
    const seen = this.#tail + bytes.toString('latin1');
    const events = countOf('\n\n', seen) - countOf('\n\n', this.#tail);
    this.#events += events;
    this.units += events;
    if (events > 0) this.reads += 1;
    this.#tail = seen.slice(-lastChunk.length);
    if (this.#tail !== lastChunk) return false;
    if (this.#events !== this.#wanted) throw new Error(`a stream of ${this.#events} events, not ${this.#wanted}`);
    this.#events = 0;
    this.#tail = '';
    return true;
  }
}

const lastChunk = '\r\n0\r\n\r\n';

function checkStatus(answer: Buffer): void {
  if (!answer.subarray(0, okStart.length).equals(okStart)) throw new Error(headOf(answer));
}

function headOf(answer: Buffer): string {
  return answer.toString('latin1', 0, 300);
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
  const lastAt = bytes.indexOf(lastChunk, headEnd);
  return lastAt < 0 ? null : lastAt + lastChunk.length;
}

function countOf(part: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
