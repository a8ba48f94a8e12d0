import { GatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import { findMember, skipValue } from './json-skim.ts';
import { PeekedBody } from './peeked-body.ts';
import { spliced, withLengths } from './splice.ts';

interface Renaming {
  /** The member of the answer's outermost object that names the model. */
  readonly member: string;
  /** The headers that count bytes of the part in which the name stands. */
  readonly lengthHeaders: readonly string[];
}

/** The name is looked for this far into an answer; servers put it first. */
const searchedBytes = 64 * 1024;

/**
 * Puts the client's name of the model in the place of the replica's and leaves every other byte as it came. An answer that does not
 * name the model near its beginning passes unchanged. One that breaks off there is refused: the client has seen nothing of it.
 */
export async function renameModel(
  reply: Reply,
  exchange: Exchange,
  { member, lengthHeaders }: Renaming,
): Promise<Reply> {
  const body = await PeekedBody.peek(reply.body, searchedBytes);
  if (body.endedAs === 'broken' || body.endedAs === 'abandoned') throw whyBrokenOff(exchange, body.why);
  const start = body.beginning();
  const valueAt = findMember(start, 0, member);
  const valueEnd = valueAt < 0 ? start.length : skipValue(start, valueAt);
  if (valueEnd >= start.length) return { ...reply, body };
  const name = Buffer.from(JSON.stringify(exchange.ask.model));
  body.replaceBeginning(spliced(start, { start: valueAt, end: valueEnd, by: name }));
  const grownBytes = name.length - (valueEnd - valueAt);
  return { ...reply, headers: withLengths(reply.headers, lengthHeaders, grownBytes), body };
}

function whyBrokenOff({ cancellation, journal }: Exchange, why: GatewayError | undefined): GatewayError {
  const message = `replica ${journal.replica} broke off at the beginning of its answer`;
  return cancellation.reason ?? why ?? new GatewayError('upstream_broken', message);
}
