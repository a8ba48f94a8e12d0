import { WaitingLine } from './admission/waiting-line.ts';
import type { ReplicaParts } from './assemble-replica.ts';
import { byPrefix, bySession, withAffinity } from './balance/affinity.ts';
import type { Backend, Hedging, Retrying } from './balance/backend.ts';
import type { DecisionWatch } from './balance/decision.ts';
import { Dispatcher } from './balance/dispatcher.ts';
import { revisionsOf, untold } from './balance/model-revisions.ts';
import { nearFirst } from './balance/near-first.ts';
import type { Policy } from './balance/policy.ts';
import { PrefixPlaces } from './balance/prefix-places.ts';
import { balancings } from './balance/registry.ts';
import type { Replica } from './balance/replica.ts';
import type { Clock } from './kernel/clock.ts';
import { Ewma } from './kernel/ewma.ts';
import { RollingQuantile } from './kernel/quantile.ts';
import type { Rng } from './kernel/rng.ts';
import type { ReadAffinity } from './pipeline/protocol.ts';
import { prefixOfPrompt, sessionInField, sessionInHeader } from './protocols/affinity-keys.ts';
import type { AffinitySettings, BackendSettings, HedgeSettings, RetrySettings } from './settings/settings.ts';
import { RetryBudget } from './stages/retry-budget.ts';

/** What backends are built from besides their settings. */
export interface BackendParts extends ReplicaParts {
  /** Leases that were released twice: counted, since it must never happen. */
  readonly secondReleases: { count: number };
  /** Told of decisions. */
  readonly decisions: DecisionWatch;
}

/** Where a backend stands, and what it goes on with of the one that had its name before. */
export interface BackendPlace {
  readonly replicas: readonly Replica[];
  /** The gateway's; null where all replicas are near. */
  readonly zone: string | null;
  readonly before: Backend | null;
}

/** Builds a backend of its replicas. Its dispatcher must be closed. */
export function assembleBackend(
  settings: BackendSettings,
  { replicas, zone, before }: BackendPlace,
  { clock, wheel, rng, log, secondReleases, decisions }: BackendParts,
): Backend {
  const { name, protocol, models, policy, queue, wantsReports, holdsFirstChunk } = settings;
  const places = before?.affinity?.places ?? new PrefixPlaces(mostPlaces);
  const dispatcher = new Dispatcher({
    backendName: name,
    replicas,
    policy: assemblePolicy(settings, zone, places, rng),
    policyName: policy,
    line: before?.dispatcher.line ?? new WaitingLine(),
    queue,
    clock,
    wheel,
    decisions,
    onSecondRelease(lease) {
      secondReleases.count += 1;
      log.error({ replica: lease.replica.fullName }, 'a lease was released twice');
    },
  });
  const { streamTotalMs, ...timeouts } = settings.timeouts;
  return {
    name,
    protocol,
    models,
    replicas,
    dispatcher,
    timeouts,
    streamTimeouts: { ...timeouts, totalMs: streamTotalMs },
    wantsReports,
    affinity: settings.affinity === null ? null : { read: readerOf(settings.affinity), places },
    retrying: assembleRetrying(settings.retry, clock),
    hedging: settings.hedge === null ? null : assembleHedging(settings.hedge, clock),
    holdsFirstChunk,
    // Of the other protocols none has replicas tell which build of a model they serve.
    revisions: protocol === 'open-inference' ? revisionsOf(replicas) : untold,
  };
}

/** A few megabytes; as many as some thousand prompts of 10,000 tokens have. */
const mostPlaces = 65_536;

function assemblePolicy(
  { policy, affinity }: BackendSettings,
  zone: string | null,
  places: PrefixPlaces,
  rng: Rng,
): Policy {
  const free = balancings[policy].newPolicy(rng);
  const near = zone === null ? free : nearFirst(free, zone);
  if (affinity === null) return near;
  return withAffinity(near, affinity.by.kind === 'prefix' ? byPrefix(places) : bySession, affinity.bound);
}

function readerOf({ by }: AffinitySettings): ReadAffinity {
  if (by.kind === 'prefix') return prefixOfPrompt;
  return by.kind === 'header' ? sessionInHeader(by.name) : sessionInField(by.name);
}

/** What the simulations of the request path have in common with the gateway. */
export function assembleRetrying({ maxTries, isIdempotent, ...budget }: RetrySettings, clock: Clock): Retrying {
  const { budgetShare: share, floorPerSecond } = budget;
  return { maxTries, isIdempotent, budget: new RetryBudget({ share, floorPerSecond, clock }) };
}

/** The same for hedging. */
export function assembleHedging({ after, budgetShare: share }: HedgeSettings, clock: Clock): Hedging {
  const budget = new RetryBudget({ share, floorPerSecond: 0, clock });
  const utilisation = new Ewma({ memoryMs: utilisationMemoryMs, clock });
  if (after.kind === 'delay') return { budget, utilisation, delayMs: () => after.delayMs, observe: () => {} };
  const times = new RollingQuantile({ ...hedgeWindow, clock });
  return {
    budget,
    utilisation,
    delayMs: () => times.of(after.quantile),
    observe: (durationMs) => times.add(durationMs),
  };
}

/** Long enough that a slow minute does not become the measure, short enough that a slow hour does. */
const hedgeWindow = { windowMs: 60_000, fewestSamples: 50 };

/** Long enough that a lull of a moment under high load does not bring hedges back. */
const utilisationMemoryMs = 5_000;
