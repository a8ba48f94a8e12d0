import type { GatewayError } from '../kernel/errors.ts';
import { withoutHeaders } from '../pipeline/headers.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import type { Body, BodyEnd, Reply } from '../pipeline/reply.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { Splice } from './splice.ts';

/** What is to be changed in a line of data, given without its field's name and perhaps with a byte of its end; null for nothing. */
export type RewriteLine = (data: Uint8Array) => Splice | null;

/** Changes a place in every line of data of a stream of events while it passes, and leaves every other byte as it came. */
export function rewriteData(reply: Reply, rewrite: RewriteLine): Reply {
  const headers = withoutHeaders(reply.headers, (name) => name === 'content-length');
  return { ...reply, headers, body: new RewrittenEvents(reply.body, rewrite) };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const dataField = Buffer.from('data:');

/** What stands further behind in a line is not looked at: it would have to be held back so long. */
const longestHeldBytes = 1024 * 1024;

class RewrittenEvents extends PassingBody {
  readonly #rewrite: RewriteLine;
  /** The beginning of a line whose end has not come. */
  #held = new GatheredBytes();
  /** In the middle of a line whose beginning has been passed on. */
  #isPassing = false;

  constructor(inner: Body, rewrite: RewriteLine) {
    super(inner);
    this.#rewrite = rewrite;
  }

  override get sizeBytes(): null {
    return null;
  }

  override chunk(bytes: Uint8Array): boolean {
    const pieces: Uint8Array[] = [];
    let lineAt = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] !== lineFeed && bytes[at] !== carriageReturn) continue;
      this.#takeLine(this.#withHeld(bytes.subarray(lineAt, at + 1)), pieces);
      lineAt = at + 1;
    }
    if (lineAt < bytes.length) this.#hold(bytes.subarray(lineAt), pieces);
    return pieces.length === 0 || this.passOn(Buffer.concat(pieces));
  }

  override end(how: BodyEnd, why?: GatewayError): void {
    this.passEnd(how, why, () => {
      if (this.#held.length === 0) return;
      const pieces: Uint8Array[] = [];
      this.#takeLine(this.#held.bytes, pieces);
      this.passOn(Buffer.concat(pieces));
    });
  }

  /** The line that a piece ends. */
  #withHeld(piece: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return piece;
    this.#held.add(piece);
    const line = this.#held.bytes;
    this.#held = new GatheredBytes();
    return line;
  }

  #hold(rest: Uint8Array, pieces: Uint8Array[]): void {
    if (this.#isPassing) {
      pieces.push(rest);
      return;
    }
    this.#held.add(rest);
    if (this.#held.length <= longestHeldBytes) return;
    this.#takeLine(this.#held.bytes, pieces);
    this.#held = new GatheredBytes();
    this.#isPassing = true;
  }

  #takeLine(line: Uint8Array, pieces: Uint8Array[]): void {
    const isData = !this.#isPassing && dataField.every((byte, at) => line[at] === byte);
    this.#isPassing = false;
    const data = line.subarray(dataField.length);
    const splice = isData ? this.#rewrite(data.subarray(0, longestHeldBytes)) : null;
    if (splice === null) pieces.push(line);
    else pieces.push(dataField, data.subarray(0, splice.start), splice.by, data.subarray(splice.end));
  }
}
