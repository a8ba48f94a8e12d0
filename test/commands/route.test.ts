import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { least, withTop } from '../settings/yaml.ts';
import { fileWith, hasStack, headgate, runNode } from './headgate.ts';

const infer = 'POST /v2/models/digits/infer';
const gateway = ['--config', 'config/gateway.yaml'] as const;
const canary = ['--config', 'config/examples/canary.yaml'] as const;
const triton = ['--config', 'config/examples/triton.yaml'] as const;

test('route says which route takes a request, to which backend, and why those before it do not', () => {
  assert.deepEqual(headgate('route', ...gateway, infer), {
    code: 0,
    out: `protocol open-inference, operation infer, model digits, tenant anonymous
routes[0]: passed over, the x-beta does not fit
routes[1]: matches
backend digits (100.0 %), as model digits
copies of 10.0 % to backend digits-next
`,
    err: '',
  });
});

test('route sees the headers of the request, and says by when it must be answered', () => {
  const { code, out } = headgate('route', ...gateway, infer, '--header', 'X-Beta: 1');
  assert.equal(code, 0);
  assert.deepEqual(out.split('\n').slice(1), [
    'routes[0]: matches',
    'backend digits-next (100.0 %), as model digits',
    'failing that backend digits, as model digits',
    'deadline 2000 ms',
    'answers are kept for its tenant: fresh for 600000 ms, then 60000 ms while a new one is asked for, or 3600000 ms where none can be had; and shared while they are computed',
    'not this one: its body is no JSON, or says something twice, or a number that is not exact',
    '',
  ]);
});

test('route says what the replicas call the model', () => {
  const { out } = headgate('route', ...gateway, 'GET /v2/models/handwriting/ready');
  assert.match(out, /operation ready, model handwriting,/);
  assert.match(out, /^routes\[0\]: passed over, the model does not fit$/m);
  assert.match(out, /^backend digits \(100\.0 %\), as model digits$/m);
});

test('route says how the weights divide the requests', () => {
  const { out } = headgate('route', ...canary, infer);
  assert.match(out, /^routes\[0\]: passed over, the x-canary does not fit$/m);
  assert.match(out, /^backend digits \(95\.0 %\), as model digits\nbackend digits-next \(5\.0 %\), as model digits$/m);
});

test('route knows the models of backends that no route names, patterns included', () => {
  const { code, out } = headgate('route', ...triton, 'POST /v2/models/bert-large/versions/3/infer');
  assert.equal(code, 0);
  assert.deepEqual(out.split('\n').slice(1), [
    'triton: passed over, the model does not fit',
    'triton: matches',
    'backend triton (100.0 %), as model bert-large',
    '',
  ]);
});

test('route says nothing of a model where the request names none', () => {
  const { code, out } = headgate('route', '--config', 'config/examples/plain-http.yaml', 'PUT /transcribe/x');
  assert.equal(code, 0);
  assert.equal(
    out,
    'protocol http, operation request, tenant anonymous\nroutes[0]: matches\nbackend speech (100.0 %)\n',
  );
});

test('route names the tenant by the hash of the credential, and shows no credential', () => {
  const { out, err } = headgate('route', ...gateway, infer, '--header', 'authorization: Bearer sk-hunter2');
  assert.match(out, new RegExp(`tenant ${createHash('sha256').update('sk-hunter2').digest('hex')}$`, 'm'));
  assert.ok(!`${out}${err}`.includes('hunter2'));
});

test('route takes several headers, and those that are given twice together', () => {
  const { out } = headgate('route', ...gateway, infer, '--header', 'x-other: 2', '--header', 'x-beta:1');
  assert.match(out, /^routes\[0\]: matches$/m);
  const twice = headgate('route', ...gateway, infer, '--header', 'x-beta: 1', '--header', 'x-beta: 2');
  assert.match(twice.out, /^routes\[0\]: passed over, the x-beta does not fit$/m);
});

test('route does not repeat a header that is none: it may be a credential', () => {
  const { code, err } = headgate('route', ...gateway, infer, '--header', 'authorization Bearer sk-hunter2');
  assert.equal(code, 2);
  assert.ok(err !== '' && !err.includes('hunter2'), err);
});

test('route says what the gateway answers itself', () => {
  assert.deepEqual(headgate('route', ...gateway, 'GET /v2/health/ready'), {
    code: 0,
    out: 'the gateway answers this itself\n',
    err: '',
  });
  assert.deepEqual(JSON.parse(headgate('route', ...gateway, 'GET /v2', '--json').out), { answeredBy: 'gateway' });
});

test('route says that a path wants another method', () => {
  const { code, out, err } = headgate('route', ...gateway, 'GET /v2/models/digits/infer');
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.match(err, /got GET, wanted POST: the client gets 405\n$/);
});

test('route reads a body within the bounds and the encodings that the gateway keeps', (context) => {
  const large = fileWith(context, 'x'.repeat(2048), 'large.json');
  const small = fileWith(context, `listen: { max_body: 1KiB }\n${least}`);
  const refused = headgate('route', '--config', small, 'POST /v2/models/m/infer', '--body', large);
  assert.match(refused.err, /the client gets 413\n$/);
  const encoded = ['--header', 'content-encoding: gzip', '--body', large];
  const unreadable = headgate('route', ...gateway, infer, ...encoded);
  assert.match(unreadable.err, /the body is not gzip, or not all of it: the client gets 400\n$/);
  assert.deepEqual([refused.code, unreadable.code], [1, 1]);
});

test('route --json prints one object for a request that is refused, too, and the words elsewhere', () => {
  const { code, out, err } = headgate('route', ...gateway, 'POST /v9', '--json');
  assert.equal(code, 1);
  assert.partialDeepStrictEqual(JSON.parse(out), { error: { code: 'not_found', status: 404 } });
  assert.match(err, /^POST \/v9: /);
});

test('route starts no process, opens nothing and leaves no timer', () => {
  const { code, out, err } = runNode([
    '--input-type=module',
    '--eval',
    `import childProcess from 'node:child_process';
     import { syncBuiltinESMExports } from 'node:module';
     childProcess.spawn = () => { throw new Error('a process was started'); };
     childProcess.fork = childProcess.spawn;
     syncBuiltinESMExports();
     const { explainRoute } = await import('./gateway/commands/route.ts');
     process.stdout.write('');
     process.stderr.write('');
     const before = process.getActiveResourcesInfo().toSorted();
     await explainRoute({ config: 'config/local.yaml', method: 'POST', target: '/v2/models/digits/infer', headers: new Headers(), body: null, asJson: true });
     const left = process.getActiveResourcesInfo().toSorted();
     process.stderr.write(JSON.stringify({ before, left }));`,
  ]);
  assert.equal(code, 0, err);
  assert.equal(JSON.parse(out).model, 'digits');
  const { before, left } = JSON.parse(err);
  assert.deepEqual(left, before);
});

test('route --json prints one object', (context) => {
  const body = fileWith(context, '{"inputs":[]}', 'body.json');
  const { code, out, err } = headgate('route', ...canary, infer, '--body', body, '--json');
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.deepEqual(JSON.parse(out), {
    protocol: 'open-inference',
    operation: 'infer',
    model: 'digits',
    tenant: 'anonymous',
    rules: [
      { name: 'routes[0]', mismatch: 'x-canary' },
      { name: 'routes[1]', mismatch: null },
    ],
    backends: [
      { name: 'digits', share: 0.95, upstreamModel: 'digits' },
      { name: 'digits-next', share: 0.05, upstreamModel: 'digits' },
    ],
    fallbacks: [],
    mirror: null,
    deadlineMs: null,
    cache: null,
  });
});

test('route --json tells how the answer is kept and under what key', (context) => {
  const config = fileWith(
    context,
    withTop('routes: [{ to: [{ backend: a }], cache: { fresh: 1m } }]').replace('open-inference', 'openai'),
  );
  const body = fileWith(context, '{"model":"m","messages":[],"seed":1}', 'body.json');
  const { out } = headgate('route', '--config', config, 'POST /v1/chat/completions', '--body', body, '--json');
  const { cache } = JSON.parse(out);
  assert.deepEqual([cache.freshness.freshMs, cache.bypassedBecause], [60_000, null]);
  assert.match(cache.keys[0].key, /^[0-9a-f]{8}-[0-9a-f]{8}-[\w-]{43}$/);
});

test('route exits 1 where no route takes the request, and says why none does', () => {
  const { code, out } = headgate('route', ...triton, infer);
  assert.equal(code, 1);
  assert.deepEqual(out.split('\n').slice(1), [
    'triton: passed over, the model does not fit',
    'triton: passed over, the model does not fit',
    'no route takes it: the client gets 404',
    '',
  ]);
});

test('route --json exits 1 where no route takes the request', () => {
  const { code, out } = headgate('route', ...triton, infer, '--json');
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(out).backends, []);
});

test('route exits 1 for a path that no protocol has', () => {
  const { code, out, err } = headgate('route', ...gateway, 'POST /v9/models/digits/infer');
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.match(err, /^POST \/v9\/models\/digits\/infer: /);
});

test('route tells the faults of a configuration and exits 1', (context) => {
  const file = fileWith(context, 'backends: []\n');
  assert.deepEqual(headgate('route', '--config', file, infer), {
    code: 1,
    out: '',
    err: `${file}:1:11: backends: got a list, wanted at least one backend\n`,
  });
});

const misuse: Readonly<Record<string, readonly string[]>> = {
  'no request': [],
  'a request without a path': ['POST'],
  'an empty request': [''],
  'a method that is none': ['P@ST /v2/models/digits/infer'],
  'a header without a colon': [infer, '--header', 'x-beta'],
  'a header whose name is none': [infer, '--header', 'x beta: 1'],
};

for (const [claim, args] of Object.entries(misuse)) {
  test(`route exits 2 for ${claim}, with words instead of a stack`, () => {
    const { code, out, err } = headgate('route', ...gateway, ...args);
    assert.equal(out, '');
    assert.ok(err !== '' && !hasStack(err), err);
    assert.equal(code, 2);
  });
}

test('route says in plain words that a body cannot be read', () => {
  const { code, out, err } = headgate('route', ...gateway, infer, '--body', 'nowhere.json');
  assert.equal(out, '');
  assert.notEqual(code, 0);
  assert.ok(err.includes('nowhere.json') && !hasStack(err), err);
});
