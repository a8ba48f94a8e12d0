import { describeValue } from '../../gateway/settings/faults.ts';
import { loadYaml, settingsForm } from '../../gateway/settings/load.ts';
import type { YamlForm } from '../../gateway/settings/parse-yaml.ts';
import type { RawSettings } from '../../gateway/settings/schema.ts';
import type { Settings } from '../../gateway/settings/settings.ts';
import type { PlacedServerSettings } from '../model-server/settings.ts';
import { describePlaces, serverAt } from './server-places.ts';

/** Reads the configuration of a gateway that is to be simulated: every replica must be one of the servers. Throws a `ConfigError` with every fault. */
export function loadGatewaySettings(file: string, servers: readonly PlacedServerSettings[]): Settings {
  return loadYaml(formFor(servers), file);
}

function formFor(servers: readonly PlacedServerSettings[]): YamlForm<RawSettings, Settings> {
  const wanted = `the url of a server of the scenario: ${describePlaces(servers)}`;
  return {
    ...settingsForm,
    resolve(raw, resolving) {
      for (const [at, { replicas }] of raw.backends.entries())
        for (const [nth, { url, worker }] of replicas.entries()) {
          const path = ['backends', at, 'replicas', nth];
          if (worker !== undefined) resolving.report([...path, 'worker'], 'bundled workers, which compute', wanted);
          else if (url !== undefined && serverAt(url, servers) === null)
            resolving.report([...path, 'url'], describeValue(url, [...path, 'url']), wanted);
        }
      return settingsForm.resolve(raw, resolving);
    },
  };
}
