import type { AffinityKeys } from '../balance/work.ts';
import type { GatewayError } from '../kernel/errors.ts';
import type { Ask } from './ask.ts';
import type { Exchange, RequestHead } from './exchange.ts';
import type { HeaderList } from './headers.ts';
import type { Reply } from './reply.ts';

/** A request as the protocol writes it for a replica; the headers are added on the way out. */
export interface UpstreamRequest {
  readonly method: string;
  /** Relative to the replica's base path. */
  readonly path: string;
  readonly body: Uint8Array | null;
  /** Headers of the client, in lower case, that must not go with it: they would say what is no longer true, or ask for what cannot be given. */
  readonly without: readonly string[];
}

/** One thing clients can ask for in a protocol. */
export interface Endpoint {
  /** What it does, by the protocol's own word; `read` and `write` go by it. */
  readonly operation: string;
  readonly method: 'GET' | 'POST';
  /** Path with `:name` parameters, as Hono writes it; `*` at its end for whatever follows. */
  readonly pattern: string;
  readonly hasBody: boolean;
  /** It asks about a model and has nothing computed: what is wrong then is wrong with the model, and says nothing of the replica that tells it. */
  readonly isAboutModel?: true;
}

/** Reads from a request which others it belongs with. `content` is as for a protocol. */
export type ReadAffinity = (head: RequestHead, content: Uint8Array) => AffinityKeys;

/** What of a request's content decides its answer, for requests that may share one. */
export interface Identity {
  /** Compared by what it says, not by how it is written; null for none. */
  readonly json: Uint8Array | null;
  /** Members of its outermost object that change no answer. */
  readonly without: readonly string[];
  /** Compared byte for byte. */
  readonly raw: readonly Uint8Array[];
  /** Headers, in lower case, that say no more than how these parts lie in the body. */
  readonly framing: readonly string[];
  /** Asked again, the model answers the same, as far as the request says. */
  readonly isDeterministic: boolean;
}

/** A wire format: reads what clients send, writes what replicas get, and says no in its own shape. */
export interface Protocol {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** Understands a request. `content` is the body without its content encoding. Throws `invalid_request` naming what is wrong and what was wanted. */
  read(head: RequestHead, content: Uint8Array): Omit<Ask, 'payload' | 'content'>;
  /** What must be the same for two requests to have one answer, besides method, path, query and headers; null where no two can: the answer depends on more than the request. Asked only where answers are shared. */
  identity(head: RequestHead, content: Uint8Array): Identity | null;
  /** Whether a whole answer of status 200 may be given again: it came to its end by its own account, tells of no error, and calls on nobody in particular. Asked only of answers that would be kept. */
  isRepeatable(headers: HeaderList, body: Uint8Array): boolean;
  /** The request for a replica that knows the model under the given name. */
  write(exchange: Exchange, upstreamModel: string): UpstreamRequest;
  /** What a replica's answer needs before the client may see it; the reply itself where the model has the same name on both sides. */
  translate(reply: Reply, exchange: Exchange, upstreamModel: string): Reply | Promise<Reply>;
  /**
   * An answer of status 200 that was computed for another request with the same identity, as this exchange's own: with its id, and whole or
   * as a stream as it asked. Throws `upstream_broken` where an answer that is here cannot be given so; one that still comes breaks off.
   */
  render(reply: Reply, exchange: Exchange): Reply;
  /** An error in the shape that this protocol's clients understand. */
  refuse(error: GatewayError): Reply;
  /** The same as the last event of a stream of events (`text/event-stream`) that breaks off, as clients of that path expect it; null where they expect none. */
  breakStream(error: GatewayError, head: RequestHead): Uint8Array | null;
}
