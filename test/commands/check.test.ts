import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { least, withTop } from '../settings/yaml.ts';
import { fileWith, hasStack, headgate, root } from './headgate.ts';

const faulty = `backends:
  - name: a
    protocol: open-inference
    models: [m]
    replicas: [{ url: http://h:1, slot: 4 }]
listen: { port: 70000 }
admin: { token: sk-hunter2, port: -1 }
`;

const faults = [
  ':5:35: backends[0].replicas[0].slot: got the unknown key slot, wanted the key slots',
  ':6:17: listen.port: got 70000, wanted a whole number from 0 to 65535',
  ':7:35: admin.port: got -1, wanted a whole number from 0 to 65535',
];

test('check explains a valid configuration and exits 0', () => {
  const { code, out, err } = headgate('check', '--config', 'config/gateway.yaml');
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.deepEqual(out.split('\n'), [
    'config/gateway.yaml is valid.',
    'Clients on 127.0.0.1:8080, operators on 127.0.0.1:9090.',
    'Backend digits: open-inference, adaptive, serves digits, handwriting (there digits); up to 1000 requests wait up to 10000 ms.',
    '  Replica gpu-a: http://127.0.0.1:8101, 4 slots.',
    '  Replica gpu-b.example:8443: https://gpu-b.example:8443/triton, slots as it reports.',
    '  Replica worker-1: a bundled worker with digits on 2 threads, slots as it reports.',
    '  Replica worker-2: a bundled worker with digits on 2 threads, slots as it reports.',
    'Backend digits-next: open-inference, adaptive, serves digits; up to 1000 requests wait up to 10000 ms.',
    '  Replica 127.0.0.1:8102: http://127.0.0.1:8102, slots as it reports.',
    'Route 0: model digits* and path /v2/* and tenant * and x-beta: 1 to digits-next 100.0 %, failing that to digits, within 2000 ms; answers are kept for their tenant for 600000 ms, and up to 3600000 ms longer in need; what is being computed is shared.',
    'Route 1: everything to digits 100.0 %, with copies of 10.0 % to digits-next.',
    'Answers are kept in 67108864 bytes of memory.',
    '',
  ]);
});

test('check says of a backend that serves no models by name that its routes decide', () => {
  const { out } = headgate('check', '--config', 'config/examples/plain-http.yaml');
  assert.match(out, /^Backend speech: http, adaptive, serves whatever routes lead to it; up to 50 requests/m);
});

test('check looks at the configuration that serve would run where none is named', () => {
  const { code, out } = headgate('check');
  assert.equal(code, 0);
  assert.match(out, /^config\/local\.yaml is valid\.\n/);
});

test('check tells every fault on standard error, nothing on standard output, and exits 1', (context) => {
  const file = fileWith(context, faulty);
  assert.deepEqual(headgate('check', '--config', file), {
    code: 1,
    out: '',
    err: `${faults.map((fault) => file + fault).join('\n')}\n`,
  });
});

test('check --json prints one object without faults for a valid configuration', () => {
  const { code, out, err } = headgate('check', '--config', 'config/local.yaml', '--json');
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.deepEqual(JSON.parse(out), { file: 'config/local.yaml', faults: [], untold: 0 });
});

test('check --json prints one object with every fault and exits 1', (context) => {
  const file = fileWith(context, faulty);
  const { code, out } = headgate('check', '--config', file, '--json');
  assert.equal(code, 1);
  const printed = JSON.parse(out);
  assert.equal(printed.faults.length, faults.length);
  assert.deepEqual(printed.faults[1], {
    file,
    line: 6,
    column: 17,
    path: ['listen', 'port'],
    got: '70000',
    wanted: 'a whole number from 0 to 65535',
  });
});

test('check prints no token, whether the rest is right or wrong', (context) => {
  const valid = fileWith(context, faulty.replace('slot:', 'slots:').replace('70000', '7000').replace('-1', '1'));
  const { code, out } = headgate('check', '--config', valid);
  assert.equal(code, 0);
  assert.match(out, /operators on 127\.0\.0\.1:1 with a token/);
  const broken = fileWith(context, faulty);
  const told = [headgate('check', '--config', broken), headgate('check', '--config', broken, '--json')];
  assert.ok(!(out + JSON.stringify(told)).includes('hunter2'));
});

test('check says of routes which answers are kept and shared, and where, without the password of Redis', (context) => {
  const route = (keys: string): string => `{ to: [{ backend: a }], ${keys} }`;
  const routes = [
    route('coalesce: true'),
    route('cache: { fresh: 1s, share: everyone, sampled: true }'),
    route('cache: { fresh: 1s, stale_while_revalidate: 2s }'),
  ];
  const file = fileWith(
    context,
    withTop(`routes: [${routes.join(', ')}]\ncache: { redis: "redis://:hunter2@h:1", memory: 2MiB }`),
  );
  const { code, out, err } = headgate('check', '--config', file);
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(out.split('\n').slice(4), [
    'Route 0: everything to a 100.0 %; what is being computed is shared.',
    'Route 1: everything to a 100.0 %; answers, sampled ones too, are kept for everyone for 1000 ms.',
    'Route 2: everything to a 100.0 %; answers are kept for their tenant for 1000 ms, and up to 2000 ms longer in need.',
    'Answers are kept in 2097152 bytes of memory, and in Redis for all gateways.',
    '',
  ]);
  assert.ok(!out.includes('hunter2'));
});

test('check prints addresses as URLs have them, and no credential that a route asks for', (context) => {
  const route = 'routes: [{ match: { header: { x-api-key: sk-hunter2, x-beta: "1" } }, to: [{ backend: a }] }]\n';
  const file = fileWith(context, `${least}${route}listen: { host: "::1", port: 80 }\n`);
  const { code, out } = headgate('check', '--config', file);
  assert.equal(code, 0);
  assert.match(out, /^Clients on \[::1\]:80, /m);
  assert.match(out, /^Route 0: x-api-key: \*\*\* and x-beta: 1 to a 100\.0 %\.$/m);
});

test('check says of a file that is not there that it cannot be read', () => {
  assert.deepEqual(headgate('check', '--config', 'nowhere.yaml'), {
    code: 1,
    out: '',
    err: 'nowhere.yaml:1:1: got no text (ENOENT), wanted a file that can be read\n',
  });
});

test('check --write-schema writes what config/schema.json holds', (context) => {
  const file = fileWith(context, '', 'schema.json');
  assert.deepEqual(headgate('check', '--write-schema', file), { code: 0, out: '', err: '' });
  assert.equal(readFileSync(file, 'utf8'), readFileSync(join(root, 'config', 'schema.json'), 'utf8'));
});

test('check --write-schema says in plain words that it cannot write somewhere', () => {
  const file = join('nowhere', 'schema.json');
  const { code, out, err } = headgate('check', '--write-schema', file);
  assert.deepEqual({ code, out }, { code: 1, out: '' });
  assert.ok(err.includes(file) && !hasStack(err), err);
  assert.ok(!existsSync(join(root, file)));
});
