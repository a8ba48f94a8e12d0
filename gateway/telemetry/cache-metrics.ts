import { Counter, Gauge, type Registry } from 'prom-client';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { CacheOutcome } from '../pipeline/sharing.ts';
import { metricNames } from './names.ts';

interface Faults {
  subscribe(hear: (fault: string) => void): unknown;
}

/** What there is to tell of answers that are kept and shared. */
export interface CacheFacts {
  readonly memory: { readonly accountedBytes: number; readonly entryCount: number };
  readonly flights: { readonly counts: { readonly underWay: number; readonly followers: number } };
  readonly peers: { readonly gateways: number };
  /** Null where nothing is shared with other gateways. */
  readonly redis: { readonly faults: Faults } | null;
}

/** Tells how requests fared at the cache, and what it holds. */
export function cacheMetrics(registry: Registry, settled: Topic<Exchange>, facts: CacheFacts): void {
  countRequests(registry, settled);
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge(metricNames.cacheBytes, 'Taken in memory by answers that are kept.', () => facts.memory.accountedBytes);
  gauge(metricNames.cacheEntries, 'Answers that are kept in memory.', () => facts.memory.entryCount);
  gauge(metricNames.flights, 'Computations under way that others may join.', () => facts.flights.counts.underWay);
  gauge(metricNames.gateways, 'Gateways that share the same Redis, this one included.', () => facts.peers.gateways);
  new Counter({
    name: metricNames.flightFollowers,
    help: 'Requests that joined a computation which had begun for another one.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(facts.flights.counts.followers);
    },
  });
  if (facts.redis !== null) countFaults(registry, facts.redis.faults);
}

function countRequests(registry: Registry, settled: Topic<Exchange>): void {
  const counts = new Map<string, { readonly result: string; readonly store: string; count: number }>();
  settled.subscribe(({ journal }) => {
    if (journal.cache === null) return;
    const result = resultOf(journal.cache);
    const store = journal.cache.kind === 'hit' ? journal.cache.store : 'none';
    const cell = counts.get(result + store);
    if (cell === undefined) counts.set(result + store, { result, store, count: 1 });
    else cell.count += 1;
  });
  new Counter({
    name: metricNames.cacheRequests,
    help: 'Requests on routes that keep or share answers, by what became of them there, and by who had the answer.',
    labelNames: ['result', 'store'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { result, store, count } of counts.values()) this.inc({ result, store }, count);
    },
  });
}

/** A client that wanted a new answer, or met one too old, is a miss. */
function resultOf(outcome: CacheOutcome): 'hit' | 'stale' | 'miss' | 'bypass' {
  if (outcome.kind === 'hit') return outcome.isStale ? 'stale' : 'hit';
  return outcome.why === 'bypass' ? 'bypass' : 'miss';
}

function countFaults(registry: Registry, faults: Faults): void {
  const counts = new Map<string, number>();
  faults.subscribe((fault) => counts.set(fault, (counts.get(fault) ?? 0) + 1));
  new Counter({
    name: metricNames.cacheFaults,
    help: 'Commands to Redis that came to nothing: away, slow, failed, busy, paused (not asked for a while), junk.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, count] of counts) this.inc({ kind }, count);
    },
  });
}
