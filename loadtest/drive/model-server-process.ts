import { startModelServer } from '../model-server/main.ts';
import type { ServerSettings } from '../model-server/settings.ts';

/** What the process of a simulated server is told: what to be, and to begin anew. */
export type ServerOrder =
  | { readonly kind: 'start'; readonly settings: ServerSettings; readonly port: number; readonly seed: number }
  | { readonly kind: 'restart'; readonly seed: number };

/** What it tells. */
export type ServerNews = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly reason: string };

let restart: (seed: number) => void = () => {};
const tell = (news: ServerNews): void => void process.send?.(news);

process.on('message', async (order: ServerOrder) => {
  try {
    if (order.kind === 'start') {
      const { settings, port, seed } = order;
      const front = await startModelServer(settings, { host: '127.0.0.1', port, seed });
      restart = (anew) => front.restart(anew);
    } else restart(order.seed);
    tell({ kind: 'ready' });
  } catch (error) {
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  }
});
// Nobody outlives the load test that it was started for.
process.once('disconnect', () => process.exit(0));
// An interrupt from the terminal is for the load test, which still needs answers.
process.on('SIGINT', () => {});
