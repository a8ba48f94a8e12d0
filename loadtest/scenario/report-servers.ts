import { type Resolving, reportDuplicates } from '../../gateway/settings/resolving.ts';
import type { RawScenario } from './schema.ts';

/** Reports faults with nothing to befall, and servers that faults or targets cannot tell apart. */
export function reportServers({ servers, faults }: RawScenario, resolving: Resolving): void {
  const { report, isFaulty } = resolving;
  if (isFaulty(['servers'])) return;
  reportDuplicates(
    servers.map(({ port }, at) => ({ name: `${port}`, path: ['servers', at, 'port'] })),
    'a port that no other server has',
    resolving,
  );
  const names = servers.map(({ name }) => name);
  reportDuplicates(
    names.map((name, at) => ({ name, path: ['servers', at, 'name'] })),
    'a name that no other server has',
    resolving,
  );
  if (servers.length === 0 && faults.length > 0)
    report(['faults'], 'faults and no servers', 'servers that they befall');
  faults.forEach(({ server }, at) => {
    if (server !== null && servers.length > 0 && !names.includes(server))
      report(['faults', at, 'server'], JSON.stringify(server), `one of the servers ${names.join(', ')}`);
  });
}
