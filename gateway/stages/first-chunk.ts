import { GatewayError } from '../kernel/errors.ts';
import type { Body, Reply } from '../pipeline/reply.ts';
import { firstEventOf, isErrorEvent, isEventStream } from '../protocols/events.ts';
import { PeekedBody } from '../protocols/peeked-body.ts';

/** A body whose first bytes have come, or why they will not. */
interface Held {
  readonly body: Body;
  readonly error: GatewayError | null;
}

/** Waits for the first bytes of an answer, of a stream for its first event, and looks whether they are worth passing on: servers of streams answer 200 before they know. */
export async function holdFirstChunk(reply: Reply): Promise<Held> {
  const body = await (isEventStream(reply) ? PeekedBody.peek(reply.body, 1, hasEvent) : PeekedBody.peek(reply.body, 1));
  return { body, error: faultOf(reply, body) };
}

function hasEvent(beginning: Buffer): boolean {
  return firstEventOf(beginning.toString()) !== null;
}

function faultOf(reply: Reply, body: PeekedBody): GatewayError | null {
  const beginning = body.beginning();
  if (beginning.length === 0 && body.endedAs !== null && body.endedAs !== 'complete')
    return body.why ?? new GatewayError('upstream_broken', 'the replica broke off before the first byte of its answer');
  const event = isEventStream(reply) ? firstEventOf(beginning.toString()) : null;
  if (event !== null && isErrorEvent(event))
    return new GatewayError('upstream_broken', 'the first event of the replica’s answer was an error');
  return null;
}
