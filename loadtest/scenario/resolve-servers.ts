import { type Resolving, reportDuplicates } from '../../gateway/settings/resolving.ts';
import type { FaultSettings, ServerSettings } from '../model-server/settings.ts';
import type { RawScenario } from './schema.ts';

/** Reports servers that cannot be told apart, or cannot be found, and faults of none of them. */
export function resolveServers(
  { servers, faults }: RawScenario,
  resolving: Resolving,
): { servers: readonly ServerSettings[]; faults: readonly FaultSettings[] } {
  servers.forEach(({ port }, at) => {
    const path = ['servers', at, 'port'];
    if ((port ?? 0) === 0 && !resolving.isFaulty(path))
      resolving.report(path, port === null ? 'nothing' : '0', 'a port from 1 to 65535: targets must know it');
  });
  reportDuplicates(
    servers.map(({ name }, at) => ({ name, path: ['servers', at, 'name'] })),
    'a name that no other server has',
    resolving,
  );
  reportDuplicates(
    servers.flatMap(({ port }, at) => ((port ?? 0) === 0 ? [] : [{ name: `${port}`, path: ['servers', at, 'port'] }])),
    'a port that no other server has',
    resolving,
  );
  faults.forEach(({ server }, at) => {
    if (server === null || servers.some(({ name }) => name === server)) return;
    resolving.report(['faults', at, 'server'], JSON.stringify(server), 'the name of a server of this scenario');
  });
  return { servers, faults };
}
