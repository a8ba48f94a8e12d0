import { untold } from '../balance/model-revisions.ts';
import type { KeyedBy } from '../cache/key.ts';
import type { Route } from '../pipeline/route.ts';
import type { FreshnessRules } from '../pipeline/sharing.ts';
import { upstreamModelOf } from '../routing/route-table.ts';
import { sharingOf, type Unshared } from '../stages/share.ts';

/** How a route keeps and shares answers, and what that means for one request. */
export interface CacheExplanation {
  /** Null where they are shared only while they are computed. */
  readonly freshness: FreshnessRules | null;
  readonly isCoalescing: boolean;
  readonly isForEveryone: boolean;
  /** Why the answer to this request is nobody else's; null where it may be. */
  readonly bypassedBecause: Unshared | null;
  /** Its client wants a new answer, which others may be given. */
  readonly wantsNew: boolean;
  /** For each backend that may be drawn. Null where what the replicas serve is part of it, which only a running gateway knows. */
  readonly keys: readonly { readonly backend: string; readonly key: string | null }[];
}

/** Null where the route shares nothing. */
export function explainCache(asked: Omit<KeyedBy, 'choice'>, route: Route): CacheExplanation | null {
  const { sharing: rules, destinations } = route;
  if (rules === null) return null;
  const { freshness, isCoalescing, isForEveryone } = rules;
  const all = destinations.map(({ backend }) => {
    const upstreamModel = upstreamModelOf(backend, asked.ask.model);
    const choice = { route, backend: { ...backend, revisions: untold }, upstreamModel };
    const isKnown = backend.revisions.of(upstreamModel) === '';
    return { backend: backend.name, isKnown, found: sharingOf({ ...asked, choice }, rules) };
  });
  const first = all[0]?.found;
  return {
    freshness: freshness === null ? null : ofFreshness(freshness),
    isCoalescing,
    isForEveryone,
    bypassedBecause: typeof first === 'string' ? first : null,
    wantsNew: typeof first === 'object' && first.wish === 'new',
    keys: all.flatMap(({ backend, isKnown, found }) =>
      typeof found === 'string' ? [] : [{ backend, key: isKnown ? found.key : null }],
    ),
  };
}

/** The settings they come from hold more. */
function ofFreshness({ freshMs, staleWhileRevalidateMs, staleIfErrorMs }: FreshnessRules): FreshnessRules {
  return { freshMs, staleWhileRevalidateMs, staleIfErrorMs };
}

const reasons: Readonly<Record<Unshared, string>> = {
  'no-store': 'the client says no-store',
  'loses-headers': 'a header that its key would hold goes no further, as its connection header says',
  'depends-on-more': 'more than the request decides what the answer is',
  sampled: 'chance has a part in the answer: wanted temperature 0, a seed, or sampled: true on the route',
  incomparable: 'its body is no JSON, or says something twice, or a number that is not exact',
};

/** The same for people. */
export function cacheInWords({ freshness, ...rest }: CacheExplanation): string[] {
  const { isCoalescing, isForEveryone, bypassedBecause, wantsNew, keys } = rest;
  const who = isForEveryone ? 'everyone' : 'its tenant';
  return [
    freshness === null
      ? `answers are not kept, but shared with ${who} while they are computed`
      : `answers are kept for ${who}: ${inWords(freshness)}${isCoalescing ? '; and shared while they are computed' : ''}`,
    ...(bypassedBecause === null ? [] : [`not this one: ${reasons[bypassedBecause]}`]),
    ...(wantsNew ? ['this one is computed anew: the client says no-cache'] : []),
    ...keys.map(({ backend, key }) =>
      key === null
        ? `key at ${backend}: what its replicas serve is part of it; with x-headgate-explain: 1 the gateway tells it`
        : `key at ${backend}: ${key}`,
    ),
  ];
}

function inWords({ freshMs, staleWhileRevalidateMs, staleIfErrorMs }: FreshnessRules): string {
  const asking = staleWhileRevalidateMs === 0 ? '' : `, then ${staleWhileRevalidateMs} ms while a new one is asked for`;
  const failing = staleIfErrorMs === 0 ? '' : `, or ${staleIfErrorMs} ms where none can be had`;
  return `fresh for ${freshMs} ms${asking}${failing}`;
}
