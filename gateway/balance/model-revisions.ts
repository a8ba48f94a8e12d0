import { newRequestId } from '../kernel/rng.ts';
import type { ReplicaState } from './replica-state.ts';

/** Which builds of models a backend serves, as far as its replicas say so. Models by the names that these have for them. */
export interface Revisions {
  /** Another text where another build is served; empty where replicas never say. */
  of(model: string): string;
  /** Resolves when the replicas that get requests have been asked about a model for the first time; null where they have been. */
  meet(model: string): Promise<unknown> | null;
}

/** Of replicas that are not asked. */
export const untold: Revisions = { of: () => '', meet: () => null };

interface Known {
  /** The last that was said; null while nothing was. */
  revision: string | null;
  wasAsked: boolean;
  asking: Promise<void> | null;
}

/** Of models that clients name by a pattern there may be any number: the one known longest is forgotten, and asked about again when it is next wanted. */
const mostModels = 100;

/** What one replica says of the models whose answers are shared. */
export class ModelRevisions {
  /** Asks it; null where it could not be asked now. Given by whoever looks after it. */
  ask: (model: string) => Promise<string | null> = async () => null;
  readonly #byModel = new Map<string, Known>();

  /** Null while it has not said. From now on it is asked. */
  of(model: string): string | null {
    return this.#want(model).revision;
  }

  /** Resolves when it has been asked for the first time; null where it has been. */
  meet(model: string): Promise<void> | null {
    const known = this.#want(model);
    if (known.wasAsked) return null;
    known.asking ??= this.#ask(model, known);
    return known.asking;
  }

  /** Asks about all models anew. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#byModel].map(([model, known]) => this.#ask(model, known)));
  }

  async #ask(model: string, known: Known): Promise<void> {
    known.revision = (await this.ask(model)) ?? known.revision;
    known.wasAsked = true;
  }

  #want(model: string): Known {
    const found = this.#byModel.get(model);
    if (found !== undefined) return found;
    const known: Known = { revision: null, wasAsked: false, asking: null };
    this.#byModel.set(model, known);
    const [oldest] = this.#byModel.size > mostModels ? this.#byModel.keys() : [];
    if (oldest !== undefined) this.#byModel.delete(oldest);
    return known;
  }
}

interface Serving {
  readonly state: Pick<ReplicaState, 'revisions' | 'standing'>;
}

/** In the place of what has not been said: what is kept until then is found by this process alone. */
const unsaid = newRequestId();

/**
 * What the replicas of a backend say together: another text whenever one of them begins to serve another build, so that what was computed by one
 * is not taken for the other's. Those that are away count by what they last said: what is kept can be given in their place.
 */
export function revisionsOf(replicas: readonly Serving[]): Revisions {
  return {
    of(model) {
      const said = new Set<string>();
      for (const { state } of replicas) {
        const revision = state.revisions.of(model);
        if (revision !== null || state.standing === 'ready') said.add(revision ?? unsaid);
      }
      return said.size === 0 ? unsaid : [...said].sort().join();
    },
    meet(model) {
      let asking: Promise<void>[] | null = null;
      for (const { state } of replicas) {
        const one = state.standing === 'ready' ? state.revisions.meet(model) : null;
        if (one !== null) asking = [...(asking ?? []), one];
      }
      return asking === null ? null : Promise.all(asking);
    },
  };
}
