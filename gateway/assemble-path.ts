import { type AssembledCache, assembleCache } from './assemble-cache.ts';
import { watchDecisions } from './assemble-events.ts';
import type { GenerationParts } from './assemble-generation.ts';
import { Generations } from './assemble-generations.ts';
import type { ServeFor } from './assemble-routes.ts';
import { LoadBoard } from './kernel/load-board.ts';
import { Topic } from './kernel/topic.ts';
import { BufferRoom } from './pipeline/buffer-room.ts';
import type { Exchange } from './pipeline/exchange.ts';
import { RunningExchanges } from './pipeline/running.ts';
import type { TryFact } from './pipeline/try-fact.ts';
import { requestPath, routePath } from './request-path.ts';
import type { Settings } from './settings/settings.ts';
import { Copies } from './stages/mirror.ts';
import { EventLog } from './telemetry/event-log.ts';

/** What the way of requests is built from besides settings: time, chance, and what leads to replicas. */
export type Surroundings = Omit<
  GenerationParts,
  'serveFor' | 'board' | 'living' | 'secondReleases' | 'events' | 'decisions' | 'peers'
>;

/** All of a gateway but its ports: its replicas, and the way of an exchange to them. */
export interface AssembledPath {
  readonly generations: Generations;
  readonly running: RunningExchanges;
  readonly settled: Topic<Exchange>;
  readonly tried: Topic<TryFact>;
  readonly secondReleases: { readonly count: number };
  readonly events: EventLog;
  readonly cache: AssembledCache;
}

/** Builds the way of requests, alike for a gateway with ports and for one under simulation. Nothing has started. */
export function assemblePath(settings: Settings, surroundings: Surroundings): AssembledPath {
  const { clock, rng } = surroundings;
  const settled = new Topic<Exchange>();
  const tried = new Topic<TryFact>();
  const secondReleases = { count: 0 };
  const { maxBodyBytes, maxBufferedBytes } = settings.listen;
  const room = new BufferRoom(maxBufferedBytes);
  const copies = new Copies(room);
  const cache = assembleCache(settings.cache, { clock, rng, room });
  const serveFor: ServeFor = (route) => routePath(route, { ...surroundings, ...cache, tried, copies });
  const events = new EventLog(clock);
  const generations = new Generations(settings, {
    ...surroundings,
    serveFor,
    board: new LoadBoard(),
    living: new Set(),
    secondReleases,
    events,
    decisions: watchDecisions(events),
    peers: cache.peers,
  });
  const path = requestPath({ settled, limits: { maxBodyBytes, room }, clock, rng });
  return { generations, running: new RunningExchanges(path, settled), settled, tried, secondReleases, events, cache };
}
