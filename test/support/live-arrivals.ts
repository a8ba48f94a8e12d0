import { Agent, request } from 'node:http';
import type { Rng } from '../../gateway/kernel/rng.ts';
import { exponential } from '../../loadtest/model-server/draws.ts';
import { pause } from './gateway-process.ts';

interface Options {
  /** Where the gateway listens for clients. */
  readonly client: string;
  readonly model: string;
  readonly ratePerSecond: number;
  readonly forMs: number;
  readonly rng: Rng;
}

/** What one client got, and after how long. */
export interface LiveAnswer {
  /** 0 where there was no whole answer. */
  readonly status: number;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

/** Inferences that come by chance over real sockets, so many a second on average, whether or not the ones before have been answered. Resolves with what each came to. */
export async function arriveLive({ client, model, ratePerSecond, forMs, rng }: Options): Promise<LiveAnswer[]> {
  const agent = new Agent({ keepAlive: true });
  const answers: Promise<LiveAnswer>[] = [];
  const startedAtMs = performance.now();
  const url = `${client}/v2/models/${model}/infer`;
  let dueMs = 0;
  for (;;) {
    dueMs += (exponential(rng) * 1000) / ratePerSecond;
    if (dueMs >= forMs) break;
    const earlyMs = startedAtMs + dueMs - performance.now();
    if (earlyMs > 0) await pause(earlyMs);
    answers.push(inferLive(url, agent));
  }
  const all = await Promise.all(answers);
  agent.destroy();
  return all;
}

/** One inference; `headers` go with it. */
export function inferLive(url: string, agent?: Agent, headers: Record<string, string> = {}): Promise<LiveAnswer> {
  const sentAtMs = performance.now();
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', headers, ...(agent === undefined ? {} : { agent }) });
    const end = (status: number, retryAfter: string | null): void =>
      resolve({ status, retryAfter, tookMs: performance.now() - sentAtMs });
    sent.on('error', () => end(0, null));
    sent.on('response', (response) => {
      const { statusCode = 0, headers: own } = response;
      response.on('error', () => end(0, null));
      response.on('end', () => end(statusCode, own['retry-after'] ?? null));
      response.resume();
    });
    sent.end('{"inputs":[]}');
  });
}
