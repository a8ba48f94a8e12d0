import { request } from 'undici';
import { type Arrival, okAnswer } from '../raw-backend.ts';

/** An answer as a client got it. */
export interface Got {
  readonly status: number;
  readonly text: string;
  /** What `cache-status` says behind the gateway's name, without how long it is fresh; null for none. */
  readonly cache: string | null;
  readonly tookMs: number;
  header(name: string): string | null;
}

/** Sends JSON, and takes all of the answer. */
export async function send(
  url: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Got & { readonly json: Record<string, unknown> }> {
  const sentAtMs = performance.now();
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.body.text();
  const header = (name: string): string | null => {
    const value = answer.headers[name];
    return value === undefined ? null : String(value);
  };
  const cache = header('cache-status')?.replace(/^headgate; |; ttl=-?\d+/g, '') ?? null;
  const tookMs = performance.now() - sentAtMs;
  return { status: answer.statusCode, text, cache, tookMs, header, json: parsed(text) };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

interface Inference {
  readonly model?: string;
  /** Tells questions apart. */
  readonly x?: number;
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks a model `m` a question, in the Open Inference Protocol. */
export function infer(origin: string, { model = 'm', x = 1, id, headers = {} }: Inference = {}) {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1], data: [x] }];
  return send(`${origin}/v2/models/${model}/infer`, { id, inputs }, headers);
}

/** The model that a request to a backend is for. */
export function modelOf({ line, body }: Arrival): string {
  return /\/v2\/models\/([^/ ]+)/.exec(line)?.[1] ?? String(JSON.parse(String(body)).model);
}

/** The answer to an inference, which has its id and says which one it is. */
export function inferred({ body }: Arrival, which: unknown, ...headers: readonly string[]): string {
  const { id } = JSON.parse(String(body));
  const outputs = [{ name: 'which', datatype: 'BYTES', shape: [1], data: [which] }];
  return okAnswer(JSON.stringify({ model_name: 'm', id, outputs }), 'content-type: application/json', ...headers);
}

/** What `inferred` was told. */
export function whichOf({ json }: { readonly json: Record<string, unknown> }): unknown {
  return (json.outputs as { readonly data: readonly unknown[] }[] | undefined)?.[0]?.data[0];
}
