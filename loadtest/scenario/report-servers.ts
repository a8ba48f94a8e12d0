import { type Resolving, reportDuplicates } from '../../gateway/settings/resolving.ts';
import type { RawScenario } from './schema.ts';

/** Reports faults with nothing to befall, servers that faults cannot tell apart, and those that targets cannot find. */
export function reportServers({ servers, faults }: RawScenario, resolving: Resolving): void {
  const { report, isFaulty } = resolving;
  if (isFaulty(['servers'])) return;
  reportPorts(servers, resolving);
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

function reportPorts(servers: RawScenario['servers'], resolving: Resolving): void {
  const placed = servers.map(({ port }, at) => ({ port, path: ['servers', at, 'port'] }));
  for (const { port, path } of placed)
    if (port === null || port === 0)
      resolving.report(path, port === null ? 'nothing' : '0', 'a port from 1, where targets find it');
  reportDuplicates(
    placed.flatMap(({ port, path }) => (port === null || port === 0 ? [] : [{ name: `${port}`, path }])),
    'a port that no other server has',
    resolving,
  );
}
