import type { ReplicaState } from './replica-state.ts';

/** Of models that clients name by a pattern there may be any number: the one known longest is forgotten, and asked about again when it is next wanted. */
const mostModels = 100;

/** What a replica says of the models whose answers are shared: another text where it serves another build. */
export class ModelRevisions {
  /** Null while it has not said. */
  readonly #byModel = new Map<string, string | null>();

  /** Those it is to be asked about, as it calls them. */
  get models(): readonly string[] {
    return [...this.#byModel.keys()];
  }

  /** Null while it has not said: it will be asked. */
  of(model: string): string | null {
    const known = this.#byModel.get(model);
    if (known === undefined) this.#want(model);
    return known ?? null;
  }

  learn(model: string, revision: string): void {
    if (this.#byModel.has(model)) this.#byModel.set(model, revision);
  }

  #want(model: string): void {
    this.#byModel.set(model, null);
    if (this.#byModel.size <= mostModels) return;
    for (const oldest of this.#byModel.keys()) {
      this.#byModel.delete(oldest);
      return;
    }
  }
}

interface Serving {
  readonly state: Pick<ReplicaState, 'revisions' | 'standing'>;
}

/**
 * What all replicas of a backend together serve as a model: another text whenever one of them begins to serve another build, so that what was
 * computed by one is not taken for the other's. Null while nobody has said, or one that gets requests has not. Those that are away count by
 * what they last said: what is kept can be given in their place.
 */
export function revisionOf(replicas: readonly Serving[], model: string): string | null {
  const said = new Set<string>();
  let isKnown = true;
  for (const { state } of replicas) {
    const revision = state.revisions.of(model);
    if (revision !== null) said.add(revision);
    else if (state.standing === 'ready') isKnown = false;
  }
  return isKnown && said.size > 0 ? [...said].sort().join() : null;
}
