import { protocolNames } from './backend-schema.ts';
import type { Finding } from './faults.ts';

const replica = { url: 'http://-' };
const destination = { backend: '-' };
const backend = { name: '-', protocol: protocolNames[0], models: ['-'], replicas: [replica] };

/** For each part that must be there something that fits. */
const fitting: Readonly<Record<string, unknown>> = {
  ...backend,
  ...destination,
  upstream: '-',
  to: [destination],
  backends: [backend],
  routes: [{ to: [destination] }],
};

/** Changes a value so that it fits the schema, and what depends on several parts can be checked although some are faulty: those that may be absent are left out, for the others something stands in. */
export function repair(value: unknown, findings: readonly Finding[]): void {
  for (const { path, isAboutKey } of findings) {
    const parent = path.slice(0, -1).reduce((at, part) => (isRecord(at) ? at[part] : undefined), value);
    const last = path.at(-1);
    if (!isRecord(parent) || last === undefined) continue;
    if (typeof last === 'number') parent[last] = itemFor(path.at(-2));
    else if (isAboutKey || !Object.hasOwn(fitting, last)) delete parent[last];
    else parent[last] = structuredClone(fitting[last]);
  }
}

function itemFor(list: string | number | undefined): unknown {
  const fit = fitting[String(list)];
  return Array.isArray(fit) ? structuredClone(fit[0]) : undefined;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
