import type { GatewayError } from '../kernel/errors.ts';
import { headerInList } from '../pipeline/headers.ts';
import type { Journal } from '../pipeline/journal.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import type { Body, BodyEnd, Reply } from '../pipeline/reply.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { findMember, wholeNumberAt } from './json-skim.ts';

/** Usage stands at the end of an answer, and in the last events of a stream. */
const keptBytes = 16 * 1024;

/** Of the keys that are named so in what is kept, this many are looked at: an answer has one, or one an event. */
const mostKeys = 4;

const key = Buffer.from('"usage":');

/** The tokens of the prompt and of the answer, as completions and as responses call them. */
const spellings = [
  ['prompt_tokens', 'completion_tokens'],
  ['input_tokens', 'output_tokens'],
] as const;

/** Has the tokens that an answer says it took noted: at once where it is here whole, else while it passes. One that does not say, or is encoded, passes like any other. */
export function withUsage(reply: Reply, journal: Journal): Reply {
  if (reply.status >= 300 || headerInList(reply.headers, 'content-encoding') !== null) return reply;
  const { bytes } = reply.body;
  if (bytes !== undefined) {
    noteUsage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).subarray(-keptBytes), journal);
    return reply;
  }
  return { ...reply, body: new CountedBody(reply.body, journal) };
}

/** A body whose end is read when it has passed. */
class CountedBody extends PassingBody {
  readonly #journal: Journal;
  readonly #last = new GatheredBytes();

  constructor(inner: Body, journal: Journal) {
    super(inner);
    this.#journal = journal;
  }

  override chunk(bytes: Uint8Array): boolean {
    this.#last.add(bytes.subarray(-keptBytes));
    if (this.#last.length >= 2 * keptBytes) this.#last.keepLast(keptBytes);
    return this.passOn(bytes);
  }

  override end(how: BodyEnd, why?: GatewayError): void {
    this.passEnd(how, why, () => noteUsage(this.#last.bytes.subarray(-keptBytes), this.#journal));
  }
}

/** Reads the last usage that an answer's end tells. Inside a text its quotes would be escaped: where the key is found, it is one. */
function noteUsage(end: Buffer, journal: Journal): void {
  let at = end.length;
  for (let keys = 0; keys < mostKeys && at > 0; keys++) {
    at = end.lastIndexOf(key, at - 1);
    if (at < 0) return;
    for (const [input, output] of spellings) {
      const inputTokens = countOf(end, at, input);
      if (inputTokens === null) continue;
      journal.inputTokens = inputTokens;
      journal.outputTokens = countOf(end, at, output) ?? 0;
      return;
    }
  }
}

function countOf(end: Buffer, keyAt: number, name: string): number | null {
  const at = findMember(end, keyAt + key.length, name);
  return at < 0 ? null : wholeNumberAt(end, at);
}
