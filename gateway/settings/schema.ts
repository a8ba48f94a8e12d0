import { z } from 'zod';
import { backendSchema } from './backend-schema.ts';
import {
  choiceField,
  durationField,
  flagField,
  listOf,
  mapping,
  periodField,
  portField,
  shareField,
  sizeField,
  textField,
  textMapping,
  weightField,
} from './fields.ts';

const hostField = () => textField('a host name or address');

const listen = mapping({
  host: hostField()
    .default('127.0.0.1')
    .describe('Address of the client port. A loopback address accepts only loopback host names.'),
  port: portField().default(8080).describe('Client port; 0 lets the system choose.'),
  max_body: sizeField().prefault('16MiB').describe('Largest body of one request, as sent and decoded; 413 beyond.'),
  max_buffered: sizeField()
    .prefault('512MiB')
    .describe('Bodies of all requests held at the same time; 503 beyond. At least max_body.'),
  drain: durationField().prefault('30s').describe('How long SIGTERM waits for running work; 0s for not at all.'),
  grace: durationField()
    .prefault('2s')
    .describe('How long of it connections are still accepted, so that balancers notice; 0s for not at all.'),
  reuse_port: flagField()
    .default(false)
    .describe('Whether another process may listen on the port, too, and take over.'),
  zone: textField('a name')
    .optional()
    .describe(
      'Where this gateway stands. Replicas of other zones get requests only when those near are busy or slow. Absent: all are near.',
    ),
});

const admin = mapping({
  host: hostField()
    .default('127.0.0.1')
    .describe('Address of the operators’ port. Any but a loopback address needs a token.'),
  port: portField().default(9090).describe('Operators’ port; 0 lets the system choose.'),
  token: z
    .string({ error: 'a text' })
    .optional()
    .describe('Asked for as `Authorization: Bearer` by everything under /api; empty for none.'),
  token_file: textField('the path of a file that holds the token').optional().describe('The same, read from a file.'),
});

const match = mapping({
  model: textField('a model name, * for any characters').optional().describe('The model as the client names it.'),
  tenant: textField('a tenant, * for any characters')
    .optional()
    .describe('SHA-256 of the credential in hexadecimal, or anonymous.'),
  path: textField('a path, * for any characters')
    .regex(/^[/*]/, { error: 'a path that begins with / or *' })
    .optional()
    .describe('The path of the request.'),
  header: textMapping('a mapping of header names to values')
    .optional()
    .describe('Headers the request must have; * for any characters.'),
});

const destination = mapping({
  backend: textField('the name of a backend').describe('Where to send.'),
  weight: weightField().default(1).describe('Share of the requests, in proportion to the other weights.'),
});

const mirror = mapping({
  backend: textField('the name of a backend').describe('Gets the copies. None of those in to.'),
  share: shareField().prefault('100%').describe('How many of the requests are copied.'),
});

const routeCache = mapping({
  fresh: durationField().describe('For how long an answer is given again.'),
  stale_while_revalidate: durationField()
    .prefault('0s')
    .describe('From when it is no longer fresh: given at once, while one request asks for a new one.'),
  stale_if_error: durationField()
    .prefault('0s')
    .describe('From when it is no longer fresh: given where no new one can be had.'),
  share: choiceField(['tenant', 'everyone'])
    .default('tenant')
    .describe('Who may be given what another one asked for: whoever has the same credential, or everyone.'),
  revision: textField('a text')
    .default('1')
    .describe('Of the models; another one makes all that was kept before unknown.'),
  sampled: flagField()
    .default(false)
    .describe('Whether answers are kept in which chance has a part: of a temperature above 0 without a seed.'),
});

const route = mapping({
  match: match.prefault({}).describe('What a request must look like; an absent part accepts anything.'),
  to: listOf(destination, 'a list of backends with weights')
    .min(1, { error: 'at least one backend' })
    .describe('Drawn by weight.'),
  fallback: listOf(textField('the name of a backend'), 'a list of backends')
    .default([])
    .describe('Tried in order when those before have no replica that can, a full line, or only broken tries.'),
  mirror: mirror
    .optional()
    .describe('Copies of requests for a backend whose answers are thrown away; clients wait for none. Absent: none.'),
  cache: routeCache.optional().describe('How answers are kept. Absent: not at all.'),
  coalesce: flagField()
    .default(false)
    .describe('Whether those who ask what is being computed already wait for that, and get the same answer.'),
  deadline: periodField().optional().describe('From receipt; for streams until the first byte. Absent: none.'),
});

const cache = mapping({
  memory: sizeField().prefault('64MiB').describe('What answers may take in this process.'),
  max_entry: sizeField().prefault('1MiB').describe('The largest answer that is kept.'),
  redis: z
    .string({ error: 'a URL' })
    .optional()
    .describe(
      'Where gateways share answers: redis://host:port/db. Of a cluster some of its members, with commas between. Absent or empty: nowhere.',
    ),
  cluster: flagField().default(false).describe('Whether that is a cluster.'),
  wait: periodField().prefault('50ms').describe('The longest that anybody waits for one command to Redis.'),
  prefix: textField('a text').default('headgate:').describe('What all names in Redis begin with.'),
});

const telemetry = mapping({
  log: choiceField(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least important lines that are written. One line an exchange is info.'),
});

/** The whole YAML, as users write it: every key, its default and its documentation. */
export const settingsSchema = mapping({
  listen: listen.prefault({}).describe('The port for clients.'),
  admin: admin.prefault({}).describe('The port for operators.'),
  backends: listOf(backendSchema, 'a list of backends')
    .min(1, { error: 'at least one backend' })
    .describe('Named pools of replicas.'),
  routes: listOf(route, 'a list of routes')
    .default([])
    .describe('First match wins; backends no route names serve their own models after them.'),
  cache: cache.prefault({}).describe('Where answers are kept that routes have kept.'),
  telemetry: telemetry.prefault({}).describe('What the gateway tells about itself.'),
});

/** The YAML after defaults and units, before references are resolved. Keys are as in the file. */
export type RawSettings = z.output<typeof settingsSchema>;

/** JSON Schema draft-07 of what users write, for editors. */
export function jsonSchema(): object {
  return { title: 'Headgate configuration', ...z.toJSONSchema(settingsSchema, { io: 'input', target: 'draft-07' }) };
}
