/** One of the libraries that speak OpenAI's API, doing each thing the way its users do. */
export interface OpenAiClient {
  chat(wish: Wish): Promise<Answer>;
  /** Rejects when the stream breaks. What has come until then goes to `heard`. */
  stream(wish: Wish, heard?: (text: string) => void): Promise<Answer>;
  /** Lets the model call the tool `weather`, gives it the result, and resolves with what it then says. */
  useTool(wish: Wish, weather: (city: string) => object): Promise<Answer>;
  embed(model: string, texts: readonly string[]): Promise<readonly (readonly number[])[]>;
  /** What the library makes of an error that it threw. */
  failure(error: unknown): Failure;
}

/** How to come by a client, and what it asks for. */
export interface OpenAiLibrary {
  readonly name: string;
  /** Where it sends its chats. */
  readonly path: string;
  /** A client that never repeats a request. The address ends in `/v1`. */
  connect(baseUrl: string): OpenAiClient;
}

export interface Wish {
  readonly model: string;
  readonly prompt: string;
}

export interface Answer {
  readonly text: string;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  /** All that the library tells, every part of a stream included. */
  readonly whole: unknown;
}

export interface Failure {
  readonly kind: string;
  readonly status: number | undefined;
  readonly message: string;
  /** The fields of the error in OpenAI's shape, as far as the library keeps them. */
  readonly details: unknown;
  readonly retryAfter: string | null;
}

export const apiKey = 'key-of-the-client';

/** The parameters of the tool `weather`. */
export const weatherSchema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
};

/** A result without what is drawn anew each time: ids of parts, measured times, and the headers of the way there. */
export function withoutChance(result: unknown): unknown {
  const text = JSON.stringify(result, (key, value: unknown) => (drawn.has(key) ? undefined : value));
  return JSON.parse(text.replaceAll(/\b(msg|fc|resp|modr|aitxt|call)-[\w-]{16,24}(?=")/g, '$1'));
}

const drawn = new Set(['headers', 'performance']);
