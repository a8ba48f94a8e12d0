import type { Environment } from '../../gateway/settings/interpolate.ts';
import { loadYaml } from '../../gateway/settings/load.ts';
import { parseYaml, type YamlForm, type YamlText } from '../../gateway/settings/parse-yaml.ts';
import { readText } from '../../gateway/settings/read-text.ts';
import { resolveScenario } from './resolve.ts';
import type { Scenario } from './scenario.ts';
import { type RawScenario, scenarioSchema } from './schema.ts';

const target = { url: 'http://-', protocol: 'openai', model: '-' };

const scenarioForm: YamlForm<RawScenario, Scenario> = {
  schema: scenarioSchema,
  standIns: { ...target, targets: [target] },
  resolve: resolveScenario,
};

/** In MiB: half of what fits in one text. Published traces of an hour have 3. */
const mostTrace = 256;

/** Reads a scenario file. Throws a `ConfigError` with every fault, also of the traces it names. */
export function loadScenario(file: string, environment?: Environment): Scenario {
  return loadYaml(scenarioForm, file, environment, (path) => readText(path, mostTrace));
}

/** The same for a text that is already here. */
export function parseScenario(yaml: YamlText): Scenario {
  return parseYaml(scenarioForm, yaml);
}

/** What is run where no file is given: the model that `npm start` serves, at the default rate. */
export const quickScenarioText =
  'for: 10s\ntargets: [{ url: "http://127.0.0.1:8080", protocol: open-inference, model: digits }]\n';

/** The same as a scenario. */
export function quickScenario(): Scenario {
  return parseScenario({ text: quickScenarioText, file: 'quick.yaml', environment: {}, readText: () => '' });
}
