import { z } from 'zod';
import {
  choiceField,
  durationField,
  listOf,
  mapping,
  periodField,
  shareField,
  textField,
  textMapping,
  throughputField,
  wholeField,
} from '../../gateway/settings/fields.ts';
import { arrivalsSchema } from '../arrivals/schema.ts';
import { faultSchema, placedServerSchema } from '../model-server/settings.ts';
import { payloadsSchema } from '../payloads/schema.ts';
import type { Protocol } from './scenario.ts';

const protocols = ['openai', 'open-inference'] as const satisfies readonly Protocol[];

/** The protocol of a target. */
export const protocolField = () => choiceField(protocols);

/** The seed of a run. */
export const seedField = () => wholeField(0);

/** A name that can be part of the name of a folder. */
const nameField = () => {
  const error = 'a name of letters, digits, dots, dashes and underscores';
  return textField('a name').regex(/^[\w-][\w.-]*$/, { error });
};

const target = mapping({
  name: nameField().optional().describe('How reports call it. Absent: its host and port.'),
  url: textField('an http or https URL').describe('Where to send. A path is a prefix.'),
  protocol: protocolField().describe('What is spoken there.'),
  model: textField('the name of a model').describe('Which model is asked.'),
  headers: textMapping('a mapping of header names to values').optional().describe('Sent with every request.'),
});

const clients = mapping({
  cancel: mapping({
    share: shareField().describe('How many of all requests.'),
    after: durationField().describe('How long after it was sent.'),
  })
    .optional()
    .describe('Some clients leave before the answer is complete.'),
  slow: mapping({
    share: shareField().describe('How many of all requests.'),
    rate: throughputField().describe('How fast they read.'),
  })
    .optional()
    .describe('Some clients read slowly.'),
  timeout: periodField().prefault('120s').describe('Clients give up after this; the outcome is timeout.'),
  connections: wholeField(1, 1_000_000)
    .optional()
    .describe('How many may be open at once. Absent: as many as it takes.'),
  processes: wholeField(1, 64).default(1).describe('How many processes send, for rates that one cannot keep up with.'),
});

const slos = mapping({
  latency: periodField().optional().describe('From the planned sending until the last byte.'),
  ttft: periodField().optional().describe('Until the first token.'),
  itl: periodField().optional().describe('Between two tokens, at most.'),
  tpot: periodField().optional().describe('For each token after the first, on average.'),
});

/** A whole scenario, as users write it: every key, its default and its documentation. */
export const scenarioSchema = mapping({
  name: nameField().default('loadtest').describe('Part of the name of the folder with the results.'),
  seed: seedField().default(1).describe('Everything left to chance follows from it.'),
  for: periodField()
    .optional()
    .describe('How long requests are planned. This or requests is needed, but for traces and steps.'),
  requests: wholeField(1, 1_000_000_000).optional().describe('How many are sent; whichever comes first ends the run.'),
  warm_up: durationField().prefault('0s').describe('How much of the run is left out of the results at its start.'),
  targets: listOf(target, 'a list of targets')
    .min(1, { error: 'at least one target' })
    .describe('What is asked. All of them speak one protocol.'),
  arrivals: arrivalsSchema.prefault({ kind: 'poisson', rate: '10/s' }).describe('When requests are sent.'),
  payloads: payloadsSchema.prefault({ kind: 'unique' }).describe('What requests ask for.'),
  clients: clients.prefault({}).describe('How clients behave.'),
  slos: slos.prefault({}).describe('What a good request keeps; the share of good ones among all offered is goodput.'),
  servers: listOf(placedServerSchema, 'a list of servers')
    .default([])
    .describe('Simulated model servers that are started.'),
  faults: listOf(faultSchema, 'a list of faults').default([]).describe('What goes wrong with them, and when.'),
  asserts: listOf(textField('an assertion such as p99<800ms'), 'a list of assertions')
    .default([])
    .describe('What must come of it, or the run has failed.'),
});

/** The YAML after defaults and units, before references are resolved. Keys are as in the file. */
export type RawScenario = z.output<typeof scenarioSchema>;

/** JSON Schema draft-07 of what users write, for editors. */
export function scenarioJsonSchema(): object {
  return {
    title: 'Headgate load test scenario',
    ...z.toJSONSchema(scenarioSchema, { io: 'input', target: 'draft-07' }),
  };
}
