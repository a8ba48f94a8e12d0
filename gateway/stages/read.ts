import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Ask } from '../pipeline/ask.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve, Stage } from '../pipeline/stage.ts';
import { decodeContent } from '../protocols/content-encoding.ts';

interface Limits {
  /** One request's body, as sent and without its content encoding. */
  readonly maxBodyBytes: number;
  /** All bodies held at the same time. */
  readonly maxBufferedBytes: number;
}

const nothing = new Uint8Array(0);
const retryAfterMs = 1000;

/** Takes in the body, within one bound for each request and one for all together, and has the protocol read what is asked for. */
export function read({ maxBodyBytes, maxBufferedBytes }: Limits, clock: Clock): Stage {
  let bufferedBytes = 0;

  async function withBody(exchange: Exchange, next: Serve): Promise<Reply> {
    let ownBytes = 0;
    let ask: Ask | null = null;
    const reserve = (sizeBytes: number): void => {
      if (bufferedBytes + sizeBytes > maxBufferedBytes) throw noRoom(maxBufferedBytes);
      bufferedBytes += sizeBytes;
      ownBytes += sizeBytes;
    };
    try {
      const payload = await exchange.incoming.read(maxBodyBytes, reserve, exchange.cancellation);
      exchange.journal.bytesIn = payload.length;
      exchange.journal.readAtMs = clock.nowMs();
      const encoding = headerOf(exchange.head.headers, 'content-encoding');
      const content = encoding === null ? payload : await decodeContent(payload, encoding, maxBodyBytes, reserve);
      ask = { ...exchange.protocol.read(exchange.head, content), payload, content };
      exchange.ask = ask;
      return await next(exchange);
    } finally {
      // At the head of the reply nobody will send the body again; an answer may take hours.
      bufferedBytes -= ownBytes;
      if (ask !== null) ask.payload = ask.content = nothing;
    }
  }

  return {
    name: 'read',
    wrap: (next) => (exchange) => {
      if (exchange.head.endpoint.hasBody) return withBody(exchange, next);
      exchange.journal.readAtMs = clock.nowMs();
      exchange.ask = { ...exchange.protocol.read(exchange.head, nothing), payload: nothing, content: nothing };
      return next(exchange);
    },
  };
}

function noRoom(maxBufferedBytes: number): GatewayError {
  const message = `the gateway already holds ${maxBufferedBytes} bytes of requests (listen.max_buffered)`;
  return new GatewayError('buffers_full', message, { retryAfterMs });
}
