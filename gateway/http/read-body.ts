import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cancellation } from '../kernel/cancellation.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Incoming } from '../pipeline/exchange.ts';

type Reserve = (sizeBytes: number) => void;

/** The body of a request on Node's own stream. What is never read is left to `write-reply`, which clears or closes the connection. */
export class IncomingBody implements Incoming {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  read(maxBytes: number, reserve: Reserve, cancellation: Cancellation): Promise<Uint8Array> {
    const request = this.#request;
    const declared = request.headers['content-length'];
    const declaredBytes = declared === undefined ? null : Number(declared);
    return new Promise((resolve, reject) => {
      if (declaredBytes !== null && declaredBytes > maxBytes) throw tooLarge(maxBytes);
      // HTTP/1.0 knows no interim answers.
      if (request.headers.expect !== undefined && request.httpVersionMinor > 0) this.#response.writeContinue();
      collect(request, { maxBytes, reserve, cancellation, resolve, reject });
    });
  }
}

interface Collecting {
  readonly maxBytes: number;
  /** Of what has come, not of what was announced: many who announce and send nothing would leave no room for others. */
  readonly reserve: Reserve;
  readonly cancellation: Cancellation;
  resolve(body: Uint8Array): void;
  reject(error: unknown): void;
}

/** Gathers chunks until all are there, or until the first reason to stop. */
function collect(request: IncomingMessage, { maxBytes, reserve, cancellation, resolve, reject }: Collecting): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (error: unknown): void => {
    cancellation.off(stop);
    request.off('data', onData);
    request.pause();
    reject(error);
  };
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    try {
      if (size > maxBytes) throw tooLarge(maxBytes);
      reserve(chunk.length);
      chunks.push(chunk);
    } catch (error) {
      stop(error);
    }
  };
  request.on('data', onData);
  request.on('end', () => {
    cancellation.off(stop);
    resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  });
  request.on('error', (cause) =>
    stop(new GatewayError('client_left', 'the client left before its request was complete', { cause })),
  );
  cancellation.onCancel(stop);
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('body_too_large', `the body is over ${maxBytes} bytes (listen.max_body)`);
}
