import { Counter, Gauge, Registry } from 'prom-client';
import type { Backend } from '../balance/backend.ts';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { TryFact } from '../pipeline/try-fact.ts';
import { type CacheFacts, cacheMetrics } from './cache-metrics.ts';
import { ExchangeMetrics } from './exchange-metrics.ts';
import { metricNames } from './names.ts';

interface Sources {
  readonly backends: () => readonly Backend[];
  readonly settled: Topic<Exchange>;
  readonly tried: Topic<TryFact>;
  /** How often a lease was released twice so far: a fault of the gateway's. */
  readonly secondReleases: { readonly count: number };
  readonly reloads: Reloads;
  readonly cache: CacheFacts;
}

/** How the configuration was read again. */
interface Reloads {
  readonly counts: Readonly<Record<'success' | 'failure', number>>;
  readonly isLastSuccessful: boolean;
}

/** The gateway's metrics. What changes with every request is counted here; what replicas and lines hold is read when scraped. */
export function gatewayMetrics(sources: Sources): Registry {
  const registry = new Registry();
  const exchanges = new ExchangeMetrics(registry);
  sources.settled.subscribe((exchange) => exchanges.count(exchange));
  countTries(registry, sources.tried);
  cacheMetrics(registry, sources.settled, sources.cache);
  showBackends(registry, sources.backends);
  showReloads(registry, sources.reloads);
  new Counter({
    name: metricNames.leasesReleasedTwice,
    help: 'Leases released a second time; anything but 0 is a fault in the gateway.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(sources.secondReleases.count);
    },
  });
  return registry;
}

function countTries(registry: Registry, tried: Topic<TryFact>): void {
  const counts = new Map<string, Counts>();
  tried.subscribe(({ backendName, kind, outcome }) => {
    let own = counts.get(backendName);
    if (own === undefined) {
      own = { first: {}, retry: {}, hedge: {}, mirror: {} };
      counts.set(backendName, own);
    }
    own[kind][outcome] = (own[kind][outcome] ?? 0) + 1;
  });
  new Counter({
    name: metricNames.tries,
    help: 'Sends to replicas, by how they ended.',
    labelNames: ['backend', 'outcome', 'kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [backend, own] of counts) {
        for (const [kind, byOutcome] of Object.entries(own)) {
          for (const [outcome, count] of Object.entries(byOutcome)) this.inc({ backend, outcome, kind }, count);
        }
      }
    },
  });
}

function showReloads(registry: Registry, reloads: Reloads): void {
  new Counter({
    name: metricNames.configReloads,
    help: 'Reloads of the configuration, by how they ended.',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(reloads.counts)) this.inc({ result }, count);
    },
  });
  new Gauge({
    name: metricNames.configLastReload,
    help: 'Whether the configuration in force is the one that was last read: 1 if so.',
    registers: [registry],
    collect() {
      this.set(reloads.isLastSuccessful ? 1 : 0);
    },
  });
}

type Counts = Record<TryFact['kind'], Partial<Record<TryFact['outcome'], number>>>;

/** Gauges whose values stand in the replicas and lines themselves. */
function showBackends(registry: Registry, backends: () => readonly Backend[]): void {
  new Gauge({
    name: metricNames.queueDepth,
    help: 'Requests that wait for a replica.',
    labelNames: ['backend'],
    registers: [registry],
    collect() {
      this.reset();
      for (const backend of backends()) this.set({ backend: backend.name }, backend.dispatcher.waitingCount);
    },
  });
  for (const gauge of replicaGauges) showReplicas(registry, backends, gauge);
  new Counter({
    name: metricNames.reportFaults,
    help: 'What could not be read of a replica’s load: of reports, of values in them, and of metrics pages.',
    labelNames: ['backend', 'replica', 'kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { replicas } of backends())
        for (const { backendName: backend, id: replica, state } of replicas)
          for (const [kind, count] of state.reportFaults.counts) this.inc({ backend, replica, kind }, count);
    },
  });
}

/** A figure of each replica; null where it has none. */
interface ReplicaGauge {
  readonly name: string;
  readonly help: string;
  read(replica: Backend['replicas'][number]): { readonly value: number; readonly state?: string } | null;
}

const replicaGauges: readonly ReplicaGauge[] = [
  {
    name: metricNames.replicaInFlight,
    help: 'Requests sent to a replica that have not ended.',
    read: ({ slot }) => ({ value: slot.inFlight }),
  },
  {
    name: metricNames.replicaReportedQueue,
    help: 'Requests that wait inside a replica, as it last reported.',
    read: ({ report }) => (report === null || report.queued === null ? null : { value: report.queued }),
  },
  {
    name: metricNames.replicaGate,
    help: 'The state of a replica’s gate: 1 for the present one.',
    read: ({ gate }) => ({ value: 1, state: gate.state }),
  },
  {
    name: metricNames.replicaStanding,
    help: 'What a replica says of itself: 1 for the present standing.',
    read: ({ standing }) => ({ value: 1, state: standing }),
  },
];

function showReplicas(
  registry: Registry,
  backends: () => readonly Backend[],
  { name, help, read }: ReplicaGauge,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['backend', 'replica', 'state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const backend of backends()) {
        for (const replica of backend.replicas) {
          const shown = read(replica);
          if (shown === null) continue;
          const state = shown.state === undefined ? {} : { state: shown.state };
          this.set({ backend: backend.name, replica: replica.id, ...state }, shown.value);
        }
      }
    },
  });
}
