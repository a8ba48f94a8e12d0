import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../kernel/errors.ts';
import type { Incoming } from '../pipeline/exchange.ts';

/** The body of a request on Node's own stream. What is never read is left to `write-reply`, which clears or closes the connection. */
export class IncomingBody implements Incoming {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  read(maxBytes: number, reserve: (sizeBytes: number) => void): Promise<Uint8Array> {
    const request = this.#request;
    const declared = request.headers['content-length'];
    const declaredBytes = declared === undefined ? null : Number(declared);
    return new Promise((resolve, reject) => {
      if (declaredBytes !== null) {
        if (declaredBytes > maxBytes) throw tooLarge(maxBytes);
        reserve(declaredBytes);
      }
      if (request.headers.expect !== undefined) this.#response.writeContinue();
      collect(request, maxBytes, declaredBytes === null ? reserve : null, resolve, reject);
    });
  }
}

/** Gathers chunks. `reserve` is null where the whole length has been reserved already. */
function collect(
  request: IncomingMessage,
  maxBytes: number,
  reserve: ((sizeBytes: number) => void) | null,
  resolve: (body: Uint8Array) => void,
  reject: (error: unknown) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    try {
      if (size > maxBytes) throw tooLarge(maxBytes);
      reserve?.(chunk.length);
      chunks.push(chunk);
    } catch (error) {
      request.off('data', onData);
      request.pause();
      reject(error);
    }
  };
  request.on('data', onData);
  request.on('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
  request.on('error', (cause) =>
    reject(new GatewayError('client_left', 'the client left before its request was complete', { cause })),
  );
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('body_too_large', `the body is over ${maxBytes} bytes (listen.max_body)`);
}
