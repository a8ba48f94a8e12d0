/** Which answers are meant: those of which everything given holds; all where nothing is given. */
export interface Purge {
  readonly key?: string;
  readonly model?: string;
  readonly tenant?: string;
}

const names = ['key', 'model', 'tenant'] as const;

/** Reads from the parameters of a query which answers are to be forgotten; what is wrong with it, where it does not say. All of them must be asked for by name. */
export function readPurge(query: Readonly<Record<string, string>>): Purge | string {
  const unknown = Object.keys(query).find((name) => name !== 'all' && !names.some((one) => one === name));
  if (unknown !== undefined) return `query: got ${JSON.stringify(unknown)}, wanted key, model, tenant or all=true`;
  const empty = Object.keys(query).find((name) => query[name] === '');
  if (empty !== undefined) return `query: ${empty} is empty`;
  const given = Object.fromEntries(names.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]])));
  const isAll = query.all === 'true';
  if (isAll === Object.keys(given).length > 0) return 'query: wanted key, model or tenant, or all=true alone';
  return given;
}
