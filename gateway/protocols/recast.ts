import { asGatewayError, GatewayError } from '../kernel/errors.ts';
import { withoutHeaders } from '../pipeline/headers.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import { type Body, type BodyEnd, bytesBody, type Reply } from '../pipeline/reply.ts';

/** Makes another form of an answer that comes in pieces. Throws where what came is no whole answer. */
export interface Recast {
  readonly contentType: string;
  take(piece: Uint8Array): void;
  finish(): Uint8Array;
}

/** What still comes must be kept until it is all here: no more than this. */
const mostBytes = 16 * 1024 * 1024;

/** An answer in another form: at once where it is here whole, else when all of it has come. */
export function recastReply(reply: Reply, recast: Recast): Reply {
  const headers = withoutHeaders(reply.headers, (name) => name === 'content-type' || name === 'content-length');
  headers.push('content-type', recast.contentType);
  const { bytes } = reply.body;
  if (bytes === undefined) return { ...reply, headers, body: new RecastBody(reply.body, recast) };
  recast.take(bytes);
  const body = bytesBody(recast.finish());
  headers.push('content-length', String(body.sizeBytes));
  return { ...reply, headers, body };
}

class RecastBody extends PassingBody {
  readonly #recast: Recast;
  #bytes = 0;
  /** Why there will be no answer. */
  #fault: GatewayError | null = null;

  constructor(inner: Body, recast: Recast) {
    super(inner);
    this.#recast = recast;
  }

  override get sizeBytes(): null {
    return null;
  }

  override chunk(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    this.#attempt(() => {
      if (this.#bytes > mostBytes)
        throw new GatewayError(
          'upstream_broken',
          `an answer of over ${mostBytes} bytes cannot be given in another form`,
        );
      this.#recast.take(bytes);
    });
    return true;
  }

  override end(how: BodyEnd, why?: GatewayError): void {
    if (how === 'complete') this.#attempt(() => this.passOn(this.#recast.finish()));
    if (this.#fault === null) this.passEnd(how, why);
    else this.passEnd('broken', this.#fault);
  }

  #attempt(step: () => void): void {
    if (this.#fault !== null) return;
    try {
      step();
    } catch (thrown) {
      this.#fault = asGatewayError(thrown);
    }
  }
}
