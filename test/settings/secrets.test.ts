import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskSecrets } from '../../gateway/settings/mask.ts';
import { faultsOf, least, load, withBackend, withReplica, withTop } from './yaml.ts';

const secret = 'sk-hunter2';

/** Configurations with faults, in or near a secret. */
const faulty: Readonly<Record<string, string>> = {
  'a token in a list': withTop(`admin: { token: [${secret}] }`),
  'a token in a mapping': withTop(`admin: { token: { value: ${secret} } }`),
  'a token beside another fault': withTop(`admin: { token: ${secret}, port: -1 }`),
  'a token beside a token_file': withTop(`admin: { token: ${secret}, token_file: package.json }`),
  'headers that are a text': withReplica(`headers: "authorization: ${secret}"`),
  'headers that are a list': withReplica(`headers: [${secret}]`),
  'a header of several lines': withReplica(`headers: { authorization: "${secret}\\n" }`),
  'a header in a list': withReplica(`headers: { authorization: [Bearer, ${secret}] }`),
  'a header beside an unknown key': withReplica(`headers: { authorization: ${secret} }\n        slot: 1`),
  'a header beside a bad name': withReplica(`headers: { authorization: ${secret}, "x y": ${secret} }`),
  'credentials in a url': least.replace('http://h', `http://user:${secret}@h`),
  'a key in the query of a url': least.replace('http://h:1', `http://h:1/?api_key=${secret}`),
  'a token behind a block mark': withTop(`admin:\n  token: |${secret}\n`),
  'a token behind a folding mark': withTop(`admin:\n  token: >${secret}\n`),
  'a token behind a quoted text': withTop(`admin: { token: "a" ${secret} }`),
  'a token that begins with a star': withTop(`admin: { token: *${secret} }`),
  'a token that begins with an exclamation mark': withTop(`admin: { token: !${secret} }`),
  'a token that begins with a percent sign': withTop(`admin:\n  token: %${secret}`),
  'a token that begins with a backtick': withTop(`admin: { token: \`${secret}\` }`),
  'a token with an escape that is none': withTop(`admin: { token: "\\u${secret}" }`),
  'a directive': `%${secret}\n---\n${least}`,
  'a header that a route asks for': withTop(
    `routes: [{ match: { header: { x-api-key: [${secret}] } }, to: [{ backend: a }] }]`,
  ),
  'credentials in a url that is none': least.replace('http://h:1', `http://user:${secret}/x@h:99999`),
  'credentials where a host belongs': withTop(`telemetry: { log: "https://user:${secret}@h" }`),
  'a key in the query of a path': withBackend(`health: { path: "ready?api_key=${secret}" }`),
  'a password of Redis in a list': withTop(`cache: { redis: ["redis://:${secret}@h"] }`),
  'a password of Redis in something else': withTop(`cache: { redis: "http://:${secret}@h" }`),
  'a password of Redis beside another one': withTop(`cache: { redis: "redis://:${secret}@h,redis://:${secret}@i" }`),
  'a password of Redis beside another fault': withTop(`cache: { redis: "redis://:${secret}@h", wait: 0s }`),
  'a token without its closing quote': withTop(`admin: { token: "${secret} }`),
};

for (const [claim, yaml] of Object.entries(faulty)) {
  test(`${claim}: a fault is told, and the secret is not`, () => {
    const told = faultsOf(yaml);
    assert.ok(told.length > 0);
    assert.ok(!told.join('\n').includes(secret), told.join('\n'));
  });
}

test('a secret from the environment is not told either', () => {
  const told = faultsOf(withReplica(`headers: { authorization: "Bearer \${KEY}" }`), { KEY: `${secret}\n` });
  assert.equal(told.length, 1);
  assert.ok(!told.join().includes(secret));
});

test('a number that should have been a token is not told', () => {
  assert.ok(!faultsOf(withTop('admin: { token: 8675309 }')).join().includes('8675309'));
});

const settings = load(
  `${withReplica(`headers: { Authorization: "Bearer ${secret}", x-team: ${secret} }`)}admin: { token: ${secret} }
cache: { redis: "redis://:${secret}@h:1, redis://i:2", cluster: true }\n`,
);

test('settings hold the secrets, so that masking them means something', () => {
  assert.equal(JSON.stringify(settings).split(secret).length - 1, 4);
});

test('no secret is left in masked settings', () => {
  assert.ok(!JSON.stringify(maskSecrets(settings)).includes(secret));
});

test('masking shows that a secret is there, and everything else as it is', () => {
  const [backend] = settings.backends;
  assert.deepEqual(maskSecrets(settings), {
    ...settings,
    admin: { ...settings.admin, token: '***' },
    cache: { ...settings.cache, redis: { urls: ['***', '***'], isCluster: true } },
    backends: [
      { ...backend, replicas: [{ ...backend?.replicas[0], headers: { authorization: '***', 'x-team': '***' } }] },
    ],
  });
});

test('masking leaves what it was given as it was', () => {
  maskSecrets(settings);
  assert.equal(settings.admin.token, secret);
});

test('no token is shown as no token', () => {
  assert.deepEqual(maskSecrets(load(least)), load(least));
});
