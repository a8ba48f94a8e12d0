import type { TestContext } from 'node:test';
import { startModelServer } from '../../loadtest/model-server/main.ts';
import { serverSchema } from '../../loadtest/model-server/settings.ts';

/** Starts a simulated server for one test; gives where it is. */
export async function modelServer(context: TestContext, profile: object, seed = 1): Promise<string> {
  const front = await startModelServer(serverSchema.parse(profile), { host: '127.0.0.1', port: 0, seed });
  context.after(() => front.close());
  return `http://127.0.0.1:${front.port}`;
}

/** Sends JSON. */
export function post(url: string, body: object, more: RequestInit = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: JSON.stringify(body), ...more });
}

/** A request to a tensor server. */
export function infer(
  url: string,
  { rows = 1, ...more }: { rows?: number } & Record<string, unknown> = {},
): Promise<Response> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [rows, 1], data: Array.from({ length: rows }, () => 0) }];
  return post(`${url}/v2/models/simulated/infer`, { inputs, ...more });
}

/** A request to an LLM server. */
export function chat(url: string, more: object = {}, init: RequestInit = {}): Promise<Response> {
  const messages = [{ role: 'user', content: 'Which way does the water flow?' }];
  return post(`${url}/v1/chat/completions`, { model: 'simulated', messages, max_tokens: 4, ...more }, init);
}

/** What a server says of itself under /simulated. */
export interface Told {
  readonly condition: string;
  readonly load: {
    readonly running: number;
    readonly done: { readonly abandoned: number; readonly succeeded: number };
  };
}

/** Asks for it. */
export async function told(url: string): Promise<Told> {
  return (await fetch(`${url}/simulated`)).json() as Promise<Told>;
}
