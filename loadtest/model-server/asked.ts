import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fate } from './fault-script.ts';

/** One request with its body, and where its answer goes. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query. */
  readonly path: string;
  readonly body: Buffer;
  /** How its answer breaks off; null for not at all. */
  readonly breaks: Extract<Fate, { kind: 'break' }> | null;
}

/** The headers of an answer, in the order they are sent in. */
export type AnswerHeaders = Readonly<Record<string, string | number>>;

/** Sends a whole answer; one that is to break off ends in its middle. */
export function sendWhole({ response, breaks }: Asked, status: number, headers: AnswerHeaders, body: Buffer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  if (breaks === null) response.end(body);
  else {
    response.write(body.subarray(0, Math.floor(body.length / 2)));
    breakOff(response, breaks.how);
  }
}

/** Ends an answer in its middle: by silence, or by a reset once what was written is on its way. */
export function breakOff(response: ServerResponse, how: 'stall' | 'reset'): void {
  if (how === 'reset') response.write('', () => response.socket?.resetAndDestroy());
}

/** A header of a request that stands there once. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** A JSON object, or null for anything else. */
export function jsonObject(bytes: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether a value of JSON is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
