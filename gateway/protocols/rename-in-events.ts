import type { GatewayError } from '../kernel/errors.ts';
import { withoutHeaders } from '../pipeline/headers.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import type { Body, BodyEnd, Reply } from '../pipeline/reply.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { findMember, skipValue } from './json-skim.ts';

/** Names from the outermost object of an event's data to the value that names the model. */
type MemberPath = readonly string[];

/** Puts the client's name of the model in the place of the replica's in every event of a stream, and leaves every other byte as it came. */
export function renameInEvents(reply: Reply, model: string, paths: readonly MemberPath[]): Reply {
  const headers = withoutHeaders(reply.headers, (name) => name === 'content-length');
  return { ...reply, headers, body: new RenamedEvents(reply.body, model, paths) };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const dataField = Buffer.from('data:');

/** A longer line passes as it is: it would have to be held back until its end. */
const longestLineBytes = 1024 * 1024;

class RenamedEvents extends PassingBody {
  readonly #name: Buffer;
  readonly #paths: readonly MemberPath[];
  /** The beginning of a line whose end has not come. */
  #held = new GatheredBytes();
  /** In the middle of a line that is too long. */
  #isPassing = false;

  constructor(inner: Body, model: string, paths: readonly MemberPath[]) {
    super(inner);
    this.#name = Buffer.from(JSON.stringify(model));
    this.#paths = paths;
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
      const pieces: Uint8Array[] = [];
      const isCutOff = this.#held.length > 0;
      this.#takeLine(this.#withHeld(Buffer.alloc(0)), pieces);
      if (isCutOff) this.passOn(Buffer.concat(pieces));
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
    if (this.#isPassing) pieces.push(rest);
    else this.#held.add(rest);
    if (this.#held.length <= longestLineBytes) return;
    this.#isPassing = true;
    pieces.push(this.#held.bytes);
    this.#held = new GatheredBytes();
  }

  #takeLine(line: Uint8Array, pieces: Uint8Array[]): void {
    // Of its end, one byte is in it.
    const isTooLong = this.#isPassing || line.length > longestLineBytes + 1;
    const span = isTooLong ? null : this.#findName(line);
    this.#isPassing = false;
    if (span === null) pieces.push(line);
    else pieces.push(line.subarray(0, span.start), this.#name, line.subarray(span.end));
  }

  #findName(line: Uint8Array): { readonly start: number; readonly end: number } | null {
    if (!dataField.every((byte, at) => line[at] === byte)) return null;
    for (const path of this.#paths) {
      let at = dataField.length;
      for (const name of path) at = at < 0 ? -1 : findMember(line, at, name);
      if (at < 0 || line[at] !== quote) continue;
      const end = skipValue(line, at);
      // A name that nothing stands behind is cut off.
      return end < line.length ? { start: at, end } : null;
    }
    return null;
  }
}
