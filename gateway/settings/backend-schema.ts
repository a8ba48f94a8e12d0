import { z } from 'zod';
import {
  choiceField,
  durationField,
  flagField,
  limitField,
  listOf,
  mapping,
  numberField,
  patienceField,
  periodField,
  rateField,
  shareField,
  textField,
  textMapping,
  weightField,
  wholeField,
} from './fields.ts';

/** The names that `policy` may have; a test compares them with the registry of the balancer. */
export const policyNames = [
  'round-robin',
  'random',
  'least-outstanding',
  'p2c',
  'peak-ewma',
  'least-time',
  'shortest-expected',
  'adaptive',
] as const;

/** The names that `protocol` may have; a test compares them with the registry of protocols. */
export const protocolNames = ['open-inference', 'openai', 'tf-serving', 'http'] as const;

/** The names that `dialect` may have; a test compares them with the registry of dialects. */
export const dialectNames = ['vllm', 'sglang', 'triton', 'tgi', 'llama.cpp'] as const;

const model = z.union(
  [
    textField('a model name, * for any characters'),
    mapping({
      name: textField('a model name, * for any characters').describe('As clients say it.'),
      upstream: textField('a model name').describe('As the replicas say it.'),
    }),
  ],
  { error: 'a model name, or a mapping with name and upstream' },
);

const worker = mapping({
  models: listOf(textField('the name of a model folder'), 'a list of model names')
    .min(1, { error: 'at least one model' })
    .describe('What it serves.'),
  count: wholeField(1, 256).default(1).describe('How many of them.'),
  threads: wholeField(1, 1024).default(1).describe('Threads each computes with.'),
  folder: textField('the path of a folder with models')
    .optional()
    .describe('Where the model folders lie. Absent: the bundled models.'),
});

const tls = mapping({
  ca_file: textField('the path of a PEM file')
    .optional()
    .describe('Certificate authority that signs the replica’s certificate.'),
  server_name: textField('a host name')
    .optional()
    .describe('Name the certificate must carry. Absent: the host of the url.'),
});

const replica = mapping({
  id: textField('a name')
    .regex(/^[^\s/]+$/, { error: 'a name without spaces and slashes' })
    .optional()
    .describe('Absent: host:port, or worker-1, worker-2.'),
  url: textField('a URL such as http://127.0.0.1:8101 or unix:/run/worker.sock')
    .optional()
    .describe('Where it listens. A path is a prefix.'),
  worker: worker.optional().describe('Bundled workers, started and watched by the gateway, instead of a url.'),
  slots: wholeField(1, 1_000_000)
    .optional()
    .describe('Requests it works on at once. Absent: as it reports, or unknown.'),
  weight: weightField().default(1).describe('Twice the weight, twice the requests.'),
  zone: textField('a name').optional().describe('Where it stands; see listen.zone. Absent: near.'),
  headers: textMapping('a mapping of header names to values')
    .optional()
    .describe('Sent with every request; a name that ends in _file names a file that holds the value.'),
  tls: tls.optional().describe('For https.'),
});

const queue = mapping({
  max: wholeField(0).default(1000).describe('Requests that may wait for a replica; 503 beyond.'),
  wait: durationField().prefault('10s').describe('How long each may wait; 503 then; 0s for not at all.'),
});

const timeouts = mapping({
  connect: periodField().prefault('1s').describe('Until a connection stands.'),
  first_byte: periodField()
    .optional()
    .describe('From sending to the first byte of the answer’s body. Absent: 30s, with openai 10m.'),
  idle: periodField().prefault('30s').describe('Between two pieces of the answer.'),
  total: limitField()
    .optional()
    .describe(
      'From sending to the last byte; none for no limit. Absent: 120s, none with openai and where a stream is asked for.',
    ),
});

const health = mapping({
  path: textField('a path')
    .regex(/^\//, { error: 'a path that begins with /' })
    .optional()
    .describe('Absent: by protocol.'),
  every: periodField().prefault('5s').describe('Between two checks.'),
  timeout: periodField().prefault('1s').describe('An answer later than this is none.'),
  unhealthy: wholeField(1, 1000).default(3).describe('Failed checks in a row that make it unready.'),
  healthy: wholeField(1, 1000).default(2).describe('Passed checks in a row that make it ready again.'),
});

const scrape = mapping({
  dialect: choiceField(dialectNames).describe('Whose names stand on the page.'),
  path: textField('a path')
    .regex(/^\//, { error: 'a path that begins with /' })
    .default('/metrics')
    .describe('Where the page is.'),
  port: wholeField(1, 65_535).optional().describe('Triton has its page on 8002. Absent: the port of the url.'),
  every: periodField().prefault('200ms').describe('Between two readings.'),
});

const load = mapping({
  report: flagField().default(true).describe('Whether replicas are asked for load reports, and these are read.'),
  scrape: scrape.optional().describe('A metrics page (Prometheus) from which their load is read. Absent: none.'),
});

const affinity = mapping({
  by: choiceField(['prefix', 'session']).describe(
    'What makes requests belong together: how prompts begin, or a name they carry.',
  ),
  bound: numberField(1, 100)
    .default(1.25)
    .describe('How many times its share of the requests a replica may get for that.'),
  header: textField('the name of a header')
    .regex(/^[\w!#$%&'*+.^`|~-]+$/, { error: 'the name of a header' })
    .optional()
    .describe('The header that names the session.'),
  field: textField('the name of a member')
    .regex(/^[a-zA-Z_]+$/, { error: 'a name of letters and underscores' })
    .optional()
    .describe('The same as a member of the JSON body.'),
});

const breaker = mapping({
  consecutive: wholeField(1).default(5).describe('Failures in a row that eject a replica; a time-out counts twice.'),
  success_below: shareField().prefault('80%').describe('A share of successes below this ejects it, too; 0% for never.'),
  window: periodField().prefault('10s').describe('How far back that share looks.'),
  min_requests: wholeField(1).default(10).describe('Requests within the window from which on the share counts.'),
  eject: periodField().prefault('5s').describe('How long it is out the first time; then twice as long each time.'),
  eject_max: periodField().prefault('5m').describe('How long it is out at most. At least eject.'),
  slow_start: durationField()
    .prefault('10s')
    .describe('How long a replica that joins or returns takes to get its full share; 0s for not at all.'),
});

const retry = mapping({
  tries: wholeField(1, 10).default(3).describe('Sends of one request at most, the first one included.'),
  budget: shareField().prefault('20%').describe('Retries at most, as a share of the requests.'),
  floor: rateField().prefault('3/s').describe('Retries that are granted besides, however few the requests.'),
  idempotent: flagField()
    .default(true)
    .describe('Whether a request may be sent again that a replica may have begun to work on.'),
});

const hedge = mapping({
  after: patienceField()
    .prefault('p95')
    .describe('How long the first byte may take before a copy is sent: a quantile of the recent times, or a duration.'),
  budget: shareField().prefault('5%').describe('Copies at most, as a share of the requests.'),
});

/** One backend, as users write it. */
export const backendSchema = mapping({
  name: textField('a name')
    .regex(/^[\w.-]+$/, { error: 'a name of letters, digits, dots, dashes and underscores' })
    .describe('For routes, logs and metrics.'),
  protocol: choiceField(protocolNames).describe('What its replicas speak.'),
  models: listOf(model, 'a list of models')
    .min(1, { error: 'at least one model' })
    .optional()
    .describe('What its replicas serve. With http none: a route’s path leads to it.'),
  policy: choiceField(policyNames).default('adaptive').describe('Which replica gets a request.'),
  replicas: listOf(replica, 'a list of replicas')
    .min(1, { error: 'at least one replica' })
    .describe('The processes that serve it.'),
  queue: queue.prefault({}).describe('The waiting line when every replica with known slots is busy.'),
  timeouts: timeouts.prefault({}).describe('Limits of one try; the first that is reached ends it.'),
  health: health.prefault({}).describe('Checks that say whether a replica is ready.'),
  load: load.prefault({}).describe('What replicas tell of their load.'),
  affinity: affinity
    .optional()
    .describe('Requests that belong together go to the same replica while it is not overloaded. Absent: none.'),
  breaker: breaker.prefault({}).describe('When a replica that fails gets no more requests, and for how long.'),
  retry: retry.prefault({}).describe('Sending again, to another replica, what one has failed to answer.'),
  hedge: hedge
    .optional()
    .describe('A copy to a second replica where the first is slow; the first answer wins. Absent: none.'),
  hold_first_chunk: flagField()
    .default(false)
    .describe(
      'Whether the head of an answer waits for its first chunk, so that what breaks right after a 200 can be retried.',
    ),
});
