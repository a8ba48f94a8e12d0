import type { GatewayError } from '../kernel/errors.ts';
import type { HeaderList } from './headers.ts';

/** Where an answer came from; `flight` where it was computed for somebody else who asked the same. */
export type ReplySource = 'upstream' | 'flight' | 'refused';

/** The head of an answer and the body still to come. Whoever holds a reply must end its body: pump it or discard it, once. */
export interface Reply {
  readonly status: number;
  /** May be added to on the way out. */
  readonly headers: HeaderList;
  readonly source: ReplySource;
  readonly body: Body;
}

/** How a body ended: every byte passed; it broke off on the way to us; or nobody wanted the rest. */
export type BodyEnd = 'complete' | 'broken' | 'abandoned';

/** The bytes of an answer, pushed into a sink as they arrive. No promises: most answers are here, whole, when the pump begins. */
export interface Body {
  readonly sizeBytes: number | null;
  /** Starts the flow, which ends with the sink's `end`, perhaps before this returns. */
  pump(sink: Sink): void;
  /** Gives it up; upstream work still under way is aborted. */
  discard(): void;
}

/** Where a body's bytes go. */
export interface Sink {
  /** False asks for a pause: no more is sent until the sink has drained. */
  chunk(bytes: Uint8Array): boolean;
  /** Calls once when it can take more; never, when nobody will. To be asked after a `chunk` that was answered with false. */
  onDrain(call: () => void): void;
  /** Nothing more comes. Called exactly once; `why` where whoever broke it off knows. */
  end(how: BodyEnd, why?: GatewayError): void;
}

/** A body that is already here, whole. */
export function bytesBody(bytes: Uint8Array): Body {
  return {
    sizeBytes: bytes.length,
    pump(sink) {
      if (bytes.length > 0) sink.chunk(bytes);
      sink.end('complete');
    },
    discard() {},
  };
}

/** An answer whose body is a value in JSON. */
export function jsonReply(status: number, value: unknown, source: ReplySource): Reply {
  const bytes = Buffer.from(JSON.stringify(value));
  const headers = ['content-type', 'application/json', 'content-length', String(bytes.length)];
  return { status, headers, source, body: bytesBody(bytes) };
}
