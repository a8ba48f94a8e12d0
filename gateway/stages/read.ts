import type { Clock } from '../kernel/clock.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Ask } from '../pipeline/ask.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { headerOf } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve, Stage } from '../pipeline/stage.ts';
import { decodeContent } from '../protocols/content-encoding.ts';

interface Limits {
  /** One request's body, as sent and without its content encoding. */
  readonly maxBodyBytes: number;
  /** Where all bodies are held at the same time. */
  readonly room: BufferRoom;
}

const nothing = new Uint8Array(0);
const retryAfterMs = 1000;

/** Takes in the body, within one bound for each request and one for all together, and has the protocol read what is asked for. */
export function read({ maxBodyBytes, room }: Limits, clock: Clock): Stage {
  async function withBody(exchange: Exchange, next: Serve): Promise<Reply> {
    let ownBytes = 0;
    let ask: Ask | null = null;
    const reserve = (sizeBytes: number): void => {
      if (!room.take(sizeBytes)) throw noRoom(room.mostBytes);
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
      room.giveBack(ownBytes);
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
