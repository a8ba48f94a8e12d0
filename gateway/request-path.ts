import type { Clock } from './kernel/clock.ts';
import type { Rng } from './kernel/rng.ts';
import type { Topic } from './kernel/topic.ts';
import type { BufferRoom } from './pipeline/buffer-room.ts';
import type { Exchange } from './pipeline/exchange.ts';
import type { Route } from './pipeline/route.ts';
import { compose, type Serve } from './pipeline/stage.ts';
import { account } from './stages/account.ts';
import { admit } from './stages/admit.ts';
import { attempt } from './stages/attempt.ts';
import { type CacheParts, cache } from './stages/cache.ts';
import { type CacheSharedParts, cacheShared } from './stages/cache-shared.ts';
import { coalesce } from './stages/coalesce.ts';
import { identify } from './stages/identify.ts';
import { type MirrorParts, mirror } from './stages/mirror.ts';
import { read } from './stages/read.ts';
import type { RetryParts } from './stages/retry.ts';
import { route } from './stages/route.ts';
import { share } from './stages/share.ts';

/** What the stages are made of. */
export interface PathParts {
  readonly settled: Topic<Exchange>;
  readonly limits: { readonly maxBodyBytes: number; readonly room: BufferRoom };
  readonly clock: Clock;
  readonly rng: Rng;
}

/** A request's way until its route is known, outermost stage first. */
export function requestPath(parts: PathParts): Serve {
  return compose(
    [
      account(parts.settled, parts.clock), // outermost: sees every reply, refusal and departure, and counts each once
      identify(), // before anything is read: who is asking decides what may be spent on it
      read(parts.limits, parts.clock), // a bounded body, before routing: most protocols name the model in it
      route(parts.rng), // goes on with the way of the route that it finds in its own configuration
    ],
    neverReached,
  );
}

/** What of a route decides which stages it has. */
export type RouteKind = Pick<Route, 'mirror' | 'sharing'>;

/** What the stages below routing are made of. */
export type RouteParts = RetryParts & MirrorParts & CacheParts & CacheSharedParts;

/** The rest of the way of a route; a stage that has nothing to do for it is not in it. */
export function routePath({ mirror: mirrored, sharing }: RouteKind, parts: RouteParts): Serve {
  const keeps = sharing?.freshness !== undefined && sharing.freshness !== null;
  return compose(
    [
      ...(mirrored === null ? [] : [mirror(parts.rng, parts)]), // before anything is answered or refused: what is tried out there is to see all there is
      ...(sharing === null ? [] : [share()]), // finds the key, by which the stages below it know each other's requests
      ...(keeps ? [cache(parts)] : []), // memory alone, and synchronous: a hit waits for nothing
      ...(sharing?.isCoalescing ? [coalesce(parts.flights)] : []), // above whatever waits or costs: followers take no replica
      ...(keeps ? [cacheShared(parts)] : []), // one of those who wait asks Redis, and keeps what comes
      admit(), // refuses at once what cannot be served, before it takes a place in a line
      attempt(parts), // waits for a replica, tries, and tries elsewhere
    ],
    neverReached,
  );
}

/** `route` and `attempt` answer by themselves. */
const neverReached: Serve = () => Promise.reject(new Error('a stage that answers by itself passed a request on'));
