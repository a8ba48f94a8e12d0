import { type Policy, type Preference, priceOf } from './policy.ts';
import type { Replica } from './replica.ts';
import type { LoadSignal } from './signal.ts';
import type { Work } from './work.ts';

/** Why a request could not go to a replica. */
export type Obstacle =
  | 'starting'
  | 'unready'
  | 'draining'
  | 'resting'
  | 'ejected'
  | 'probing'
  | 'no-credit'
  | 'tried-before';

/** One replica of a backend as a decision saw it: its price, or what spoke against it. */
export type Candidate =
  | { readonly replica: string; readonly price: number }
  | { readonly replica: string; readonly out: Obstacle };

/** Which replica a request was given, from among which, and why; replicas by their ids. */
export interface Decision {
  /** Of the clock's `nowMs`. */
  readonly atMs: number;
  readonly backend: string;
  /** As the YAML names it. */
  readonly policy: string;
  readonly unit: LoadSignal['unit'];
  /** What came before prices; null for nothing. */
  readonly preference: Preference | null;
  /** Null where it was refused. */
  readonly picked: string | null;
  /** In line until then. */
  readonly waitedMs: number;
  /** All replicas of the backend, the cheapest first, and last those it could not go to. */
  readonly candidates: readonly Candidate[];
}

/** Whoever is told of decisions. */
export interface DecisionWatch {
  /** Whether it takes one now; asked with each lease, so that it must be quick. */
  wants(nowMs: number): boolean;
  take(decision: Decision): void;
}

/** Where nobody is told. */
export const unwatched: DecisionWatch = { wants: () => false, take: () => {} };

/** A decision under way. */
export interface Deciding {
  readonly work: Work;
  readonly notThese: readonly Replica[];
  readonly waitedMs: number;
  readonly nowMs: number;
}

interface Explained extends Deciding {
  readonly backendName: string;
  readonly policyName: string;
  readonly policy: Policy;
  readonly replicas: readonly Replica[];
  readonly eligible: readonly Replica[];
  readonly picked: Replica | null;
}

/** A decision with its reasons. To be asked for before any meter is told of it, which changes prices. */
export function explain(made: Explained): Decision {
  const { backendName: backend, policyName: policy, replicas, picked, waitedMs, nowMs: atMs } = made;
  const unit = replicas[0]?.priceUnit ?? 'requests';
  const preference = picked === null ? null : (made.policy.preference ?? null);
  const candidates = candidatesOf(made);
  return { atMs, backend, policy, unit, preference, picked: picked?.id ?? null, waitedMs, candidates };
}

function candidatesOf({ replicas, eligible, notThese, work, nowMs }: Explained): Candidate[] {
  const prices = new Map(eligible.map((one) => [one, priceOf(one, work, nowMs)]));
  return replicas
    .map((one): Candidate => {
      const price = prices.get(one);
      return price === undefined ? { replica: one.id, out: obstacleOf(one, notThese) } : { replica: one.id, price };
    })
    .sort((a, b) => rankOf(a) - rankOf(b));
}

function rankOf(candidate: Candidate): number {
  return 'price' in candidate ? candidate.price : Number.MAX_VALUE;
}

function obstacleOf(replica: Replica, notThese: readonly Replica[]): Obstacle {
  const { standing, gate, rest } = replica.state;
  if (standing !== 'ready') return standing;
  if (notThese.includes(replica)) return 'tried-before';
  if (!rest.isOver) return 'resting';
  if (gate.state === 'ejected') return 'ejected';
  // Of one that probes, what is under way decides.
  return replica.hasCredit ? 'probing' : 'no-credit';
}
