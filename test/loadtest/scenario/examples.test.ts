import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { planOf } from '../../../loadtest/arrivals/plan.ts';
import { loadScenario } from '../../../loadtest/scenario/load.ts';
import { scenarioJsonSchema } from '../../../loadtest/scenario/schema.ts';
import { assertNone } from '../../conventions/assert-none.ts';
import { assertExplained, schemaKeys, writtenKeys } from '../../conventions/config-keys.ts';
import { readText, root } from '../../conventions/sources.ts';

const schemaFile = 'loadtest/scenario.schema.json';
const files = globSync('loadtest/scenarios/*.yaml', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
const scenarios = files.map((file) => loadScenario(join(root, file), {}));
/** A length is one wherever it stands: what is shown of one is shown of all. */
const length = /^payloads\.(?:chat\.\w+_tokens|tensor\.rows)\./;
const written = files
  .flatMap((file) => writtenKeys(readText(file)))
  .map((key) => ({ ...key, path: key.path.replace(length, 'length.') }));
// What simulated servers and faults have is shown where they are described.
const keys = schemaKeys(scenarioJsonSchema())
  .filter(({ path }) => !/^(servers|faults)\b/.test(path))
  .map((key) => ({ ...key, path: key.path.replace(length, 'length.') }));

test(`${schemaFile} is what \`npm run schema\` writes`, () => {
  assert.deepEqual(JSON.parse(readText(schemaFile)), scenarioJsonSchema(), 'run `npm run schema`');
});

test('every kind of arrivals and of payloads has an example', () => {
  for (const part of ['arrivals', 'payloads'] as const) {
    const { properties } = scenarioJsonSchema() as {
      properties: Record<string, { oneOf: { properties: { kind: { const: string } } }[] }>;
    };
    const kinds = properties[part]?.oneOf.map((one) => one.properties.kind.const) ?? [];
    const shown = files.flatMap(
      (file) => new RegExp(`^${part}:.*\n  kind: (\\S+)`, 'm').exec(readText(file))?.[1] ?? [],
    );
    assert.ok(kinds.length >= 5);
    assertNone(
      kinds.filter((kind) => !shown.includes(kind)),
      `an example has this kind of ${part}`,
    );
  }
});

test('every key of the schema is shown and explained by an example, with its default', () => {
  assertExplained(keys, written);
});

for (const [at, file] of files.entries()) {
  test(`${file} can be planned`, () => {
    const scenario = scenarios[at];
    const [target] = scenario?.targets ?? [];
    assert.ok(scenario !== undefined && target !== undefined);
    const [first, second] = planOf(scenario, target);
    assert.ok(first !== undefined && second !== undefined);
    JSON.parse(first.payload.body.toString());
  });

  test(`${file} tells editors where its schema is, and people what it is for`, () => {
    const [first = '', line = ''] = readText(file).split('\n');
    const path = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1];
    assert.equal(join(dirname(file), path ?? ''), schemaFile);
    assert.match(line, /^# \S.{30,}/);
  });
}
