import type { Fate } from './fault-script.ts';

/** One request, whole, as whatever carries it hands it over. */
export interface Request {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** The headers of an answer, in the order they are sent in. */
export type AnswerHeaders = Readonly<Record<string, string | number>>;

/** Where the answer to one request goes: to a socket, or on the virtual clock to whoever stands where its other end would be. */
export interface Answer {
  /** Whether its head has been sent. */
  readonly hasBegun: boolean;
  /** Sends all of it in one piece; the length is added to its headers. */
  whole(status: number, headers: AnswerHeaders, body: Buffer): void;
  /** Sends the head by itself. */
  begin(status: number, headers: AnswerHeaders): void;
  /** Texts hold no other characters than those of Latin-1. */
  write(piece: Buffer | string): void;
  end(last: string): void;
  /** Cuts the connection, once what was written is on its way. */
  reset(): void;
  /** Calls once when the connection goes before the answer is complete. */
  onLost(call: () => void): void;
}

/** One request to compute for. */
export interface Asked {
  readonly request: Request;
  readonly answer: Answer;
  /** How its answer breaks off; null for not at all. */
  readonly breaks: Extract<Fate, { kind: 'break' }> | null;
}

/** Sends a whole answer; one that is to break off ends in its middle. */
export function sendWhole({ answer, breaks }: Asked, status: number, headers: AnswerHeaders, body: Buffer): void {
  if (breaks === null) {
    answer.whole(status, headers, body);
    return;
  }
  answer.begin(status, { ...headers, 'content-length': body.length });
  answer.write(body.subarray(0, Math.floor(body.length / 2)));
  breakOff(answer, breaks.how);
}

/** Ends an answer in its middle: by silence, or by a reset. */
export function breakOff(answer: Answer, how: 'stall' | 'reset'): void {
  if (how === 'reset') answer.reset();
}

/** A header of a request that stands there once. */
export function headerOf({ headers }: Request, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
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
