/** Where a replica stands in a configuration, and where its process is. */
export interface Spot {
  readonly backendName: string;
  readonly id: string;
  /** The same for whatever is one process, or could not be told from it. */
  readonly place: string;
}

/** From the surest sign that two are the same to the weakest: a replica may be given another id, and a backend another name. */
const signs: readonly ((spot: Spot) => string)[] = [
  ({ backendName, id, place }) => JSON.stringify([backendName, id, place]),
  ({ backendName, place }) => JSON.stringify([backendName, place]),
  ({ place }) => place,
];

/** Says who goes on where in a new configuration: for each spot one of those there are, none of them twice, or null where nobody was before. */
export function claim<T extends Spot>(wanted: readonly Spot[], there: Iterable<T>): (T | null)[] {
  const claimed = wanted.map((): T | null => null);
  const free = new Set(there);
  for (const sign of signs) {
    const bySign = Map.groupBy(free, sign);
    for (const [at, spot] of wanted.entries()) {
      if (claimed[at] !== null) continue;
      const found = bySign.get(sign(spot))?.shift();
      if (found === undefined) continue;
      claimed[at] = found;
      free.delete(found);
    }
  }
  return claimed;
}
