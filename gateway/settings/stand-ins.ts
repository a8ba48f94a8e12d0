import { protocolNames } from './backend-schema.ts';
import type { Finding } from './faults.ts';

const replica = { url: 'http://-' };
const destination = { backend: '-' };
const backend = { name: '-', protocol: protocolNames[0], models: ['-'], replicas: [replica] };

/** For each key that must be there something that fits; a list holds what fits as an item of it. */
export type StandIns = Readonly<Record<string, unknown>>;

/** What stands in within a configuration of the gateway. */
export const settingsStandIns: StandIns = {
  ...backend,
  ...destination,
  upstream: '-',
  to: [destination],
  backends: [backend],
  routes: [{ to: [destination] }],
};

/** Changes a value so that it fits the schema, and what depends on several parts can be checked although some are faulty: those that may be absent are left out, for the others something stands in. */
export function repair(value: unknown, findings: readonly Finding[], fitting: StandIns): void {
  for (const { path, isAboutKey } of findings) {
    const parent = path.slice(0, -1).reduce((at, part) => (isRecord(at) ? at[part] : undefined), value);
    const last = path.at(-1);
    if (!isRecord(parent) || last === undefined) continue;
    if (typeof last === 'number') parent[last] = itemOf(fitting[String(path.at(-2))]);
    else if (isAboutKey || !Object.hasOwn(fitting, last)) delete parent[last];
    else parent[last] = structuredClone(fitting[last]);
  }
}

function itemOf(list: unknown): unknown {
  return Array.isArray(list) ? structuredClone(list[0]) : undefined;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
