import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import { type HeaderList, headerInList } from '../../../gateway/pipeline/headers.ts';
import { type Body, bytesBody, type Reply } from '../../../gateway/pipeline/reply.ts';
import { openai } from '../../../gateway/protocols/openai.ts';
import { FedBody, pumped } from '../bodies.ts';
import { readExchange } from '../exchanges.ts';

/** The head of an answer in JSON. */
export const json: HeaderList = ['content-type', 'application/json'];

/** The head of a stream of events. */
export const events: HeaderList = ['content-type', 'text/event-stream; charset=utf-8'];

/** A request for a completion. */
export function completionAsked(operation: string, more: object = {}): Exchange {
  const body = JSON.stringify({ model: 'gpt', ...more });
  return readExchange({ clock: new VirtualClock(), protocol: openai, operation, body });
}

/** An answer that is kept. */
export function kept(headers: HeaderList, text: string | Uint8Array): Reply {
  const body = bytesBody(Buffer.from(text));
  return replyOf([...headers, 'content-length', String(body.sizeBytes)], body);
}

/** An answer with a body. */
export function replyOf(headers: HeaderList, body: Body): Reply {
  return { status: 200, headers, source: 'upstream', body };
}

/** An answer as a client gets it. */
export interface Got {
  readonly text: string;
  readonly type: string | null;
  readonly length: string | null;
  readonly ended: string | null;
}

/** A kept answer, rendered. */
export function rendered(reply: Reply, exchange: Exchange): Got {
  const { headers, body } = exchange.protocol.render(reply, exchange);
  const { text, ended } = pumped(body);
  return { text, type: headerInList(headers, 'content-type'), length: headerInList(headers, 'content-length'), ended };
}

/** The same answer, which comes in pieces while it is rendered. */
export function renderedLive(headers: HeaderList, pieces: readonly Uint8Array[], exchange: Exchange): Got {
  const inner = new FedBody();
  const reply = exchange.protocol.render(replyOf(headers, inner), exchange);
  const sink = pumped(reply.body);
  for (const piece of pieces) inner.feed(piece);
  inner.end('complete');
  const [type, length] = ['content-type', 'content-length'].map((name) => headerInList(reply.headers, name));
  return { text: sink.text, type: type ?? null, length: length ?? null, ended: sink.ended };
}

/** Bytes cut at some of their places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}
