import { assembleBackend, type BackendParts } from './assemble-backend.ts';
import { placeOf, ReplicaLife } from './assemble-replica.ts';
import { assembleRoutes, type ServeFor } from './assemble-routes.ts';
import type { Backend } from './balance/backend.ts';
import { claim } from './balance/claims.ts';
import type { Replica } from './balance/replica.ts';
import { Fleet } from './guard/fleet.ts';
import { Generation } from './pipeline/generation.ts';
import type { RouteTable } from './routing/route-table.ts';
import type { Settings } from './settings/settings.ts';

/** What generations are built from besides their settings. */
export interface GenerationParts extends BackendParts {
  /** Composes the stages below routing for a route. */
  readonly serveFor: ServeFor;
}

/** A replica of a generation, with the life that goes on in it. */
export interface Member {
  readonly life: ReplicaLife;
  readonly replica: Replica;
}

/** A generation with what it holds until its last exchange has settled. */
export interface LiveGeneration {
  readonly settings: Settings;
  readonly generation: Generation;
  readonly routes: RouteTable;
  readonly members: readonly Member[];
  /** Those of its members that no generation had before. */
  readonly newcomers: readonly Member[];
}

/** Builds a generation: what stays of the one before goes on in it, what is new has not started. When it throws, nothing has changed. */
export function buildGeneration(settings: Settings, before: Generation | null, parts: GenerationParts): LiveGeneration {
  const members: Member[] = [];
  const newcomers: Member[] = [];
  const backends: Backend[] = [];
  const end = (): void => {
    for (const { dispatcher } of backends) dispatcher.close();
    for (const { life, replica } of members)
      life.letGo(replica).catch((error) => parts.log.error(error, 'a replica did not end well'));
  };
  try {
    for (const { life, replica, isNew } of holdAll(settings, parts)) {
      members.push({ life, replica });
      if (isNew) newcomers.push({ life, replica });
    }
    for (const one of settings.backends) {
      const replicas = members.flatMap(({ replica }) => (replica.backendName === one.name ? [replica] : []));
      const known = before?.backends.find(({ name }) => name === one.name) ?? null;
      backends.push(assembleBackend(one, { replicas, zone: settings.listen.zone, before: known }, parts));
    }
    const routes = assembleRoutes(settings, backends, parts.serveFor);
    const generation = new Generation({ routes, backends, onGone: end });
    return { settings, generation, routes, members, newcomers };
  } catch (error) {
    end();
    throw error;
  }
}

/** Holds the replicas of the settings one after the other: each goes on with the life of one that stood for the same process, or begins a new one. */
function* holdAll({ backends }: Settings, parts: GenerationParts): Generator<Member & { readonly isNew: boolean }> {
  const wanted = backends.flatMap((backend) =>
    backend.replicas.map((replica) => ({
      backend,
      replica,
      backendName: backend.name,
      id: replica.id,
      place: placeOf(replica, backend),
    })),
  );
  const fleets = new Map(backends.map((backend) => [backend, new Fleet()]));
  const there = [...parts.living].filter(({ isClosing }) => !isClosing);
  const claimed = claim(wanted, there);
  for (const [at, { backend, replica, place }] of wanted.entries()) {
    const known = claimed[at] ?? null;
    const life = known ?? new ReplicaLife(replica, backend, place, parts);
    const fleet = fleets.get(backend) ?? new Fleet();
    yield { life, replica: life.hold(replica, backend, fleet), isNew: known === null };
  }
}
