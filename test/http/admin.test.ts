import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adminApp, type ReloadResult } from '../../gateway/http/admin.ts';

interface Setup {
  readonly token?: string;
  readonly isLoopback?: boolean;
  readonly reload?: () => Promise<ReloadResult>;
}

/** An admin port in front of two replicas, `pool/a:1` and `pool/100%é`, with what was done there. */
function newAdmin({ token, isLoopback = true, reload }: Setup = {}) {
  const drained = new Set<string>();
  const changes: object[] = [];
  const faults: unknown[] = [];
  let reloads = 0;
  const purges: object[] = [];
  const names = ['pool/a:1', 'pool/100%é'];
  const app = adminApp({
    view: {
      notReadyBecause: () => null,
      metrics: () => Promise.reject(new Error('canary')),
      backends: () => [...drained],
      replicaNames: () => names,
      config: () => ({}),
    },
    actions: {
      reload: async () => {
        reloads += 1;
        return reload === undefined ? { kind: 'reloaded', needsRestart: ['listen'] } : reload();
      },
      purge: async (keys) => {
        purges.push(keys);
        return keys.model === 'lost' ? null : 3;
      },
      change(change, backend, id) {
        const name = `${backend}/${id}`;
        if (!names.includes(name)) return null;
        const isOut = change === 'drain' || change === 'eject';
        if (isOut) drained.add(name);
        else drained.delete(name);
        return { id, change };
      },
    },
    streamEvents: () => assert.fail('nobody asked for events'),
    token: token ?? null,
    isLoopback,
    onChange: (facts) => changes.push(facts),
    onFault: (error) => faults.push(error),
  });
  const ask = async (line: string, headers: Readonly<Record<string, string>> = {}) => {
    const [method = '', url = ''] = line.split(' ');
    const incoming = { method, url, headers: { host: 'localhost:9090', ...headers }, socket: { remoteAddress: '::1' } };
    const response = await app.request(url, { method, headers: incoming.headers }, { incoming });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? null : JSON.parse(text) };
  };
  return { ask, drained, changes, faults, purges, reloads: () => reloads };
}

const marked = { 'x-headgate-admin': '1' };
const drain = 'POST /api/replicas/pool/a:1/drain';

describe('a replica', () => {
  it('is drained, ejected and put back by a POST with the mark; the answer is the replica', async () => {
    const { ask, drained } = newAdmin();
    const answer = await ask(drain, marked);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { id: 'a:1', change: 'drain' });
    assert.deepEqual([...drained], ['pool/a:1']);
    for (const change of ['undrain', 'eject', 'readmit']) {
      assert.deepEqual((await ask(`POST /api/replicas/pool/a:1/${change}`, marked)).json, { id: 'a:1', change });
      assert.equal(drained.size, change === 'eject' ? 1 : 0);
    }
  });

  it('is found by its name however it is spelled', async () => {
    for (const [path, name] of [
      ['/api/replicas/pool/a%3A1/drain', 'pool/a:1'],
      ['/api/replicas/p%6fol/%61%3a1/drain', 'pool/a:1'],
      ['/api/replicas/pool/100%25%C3%A9/drain', 'pool/100%é'],
    ] as const) {
      const { ask, drained } = newAdmin();
      assert.equal((await ask(`POST ${path}`, marked)).status, 200, path);
      assert.deepEqual([...drained], [name]);
    }
  });

  it('that is not there is a 404 that names those that are', async () => {
    for (const path of [
      '/api/replicas/pool/b/drain',
      '/api/replicas/other/a:1/undrain',
      '/api/replicas/pool/%/drain',
    ]) {
      const { ask, drained, changes } = newAdmin();
      const { status, json } = await ask(`POST ${path}`, marked);
      assert.equal(status, 404, path);
      assert.match(json.error, /there are: pool\/a:1, pool\/100%é$/);
      assert.equal(drained.size + changes.length, 0);
    }
  });
});

describe('a reload', () => {
  it('tells which keys need a restart', async () => {
    const { status, json } = await newAdmin().ask('POST /api/config/reload', marked);
    assert.equal(status, 200);
    assert.deepEqual(json, { reloaded: true, needs_restart: ['listen'] });
  });

  it('that is refused is a 422 with its faults', async () => {
    const { ask } = newAdmin({ reload: async () => ({ kind: 'refused', faults: ['f.yaml:1:1: a', 'f.yaml:2:1: b'] }) });
    const { status, json } = await ask('POST /api/config/reload', marked);
    assert.equal(status, 422);
    assert.deepEqual(json.faults, ['f.yaml:1:1: a', 'f.yaml:2:1: b']);
    assert.equal(typeof json.error, 'string');
  });
});

it('every change is told, with who asked for it', async () => {
  const { ask, changes } = newAdmin();
  await ask(drain, marked);
  await ask('POST /api/replicas/pool/a:1/undrain', marked);
  await ask('POST /api/config/reload', marked);
  assert.deepEqual(changes, [
    { by: '::1', change: 'drain', replica: 'pool/a:1' },
    { by: '::1', change: 'undrain', replica: 'pool/a:1' },
    { by: '::1', change: 'reload', result: 'reloaded' },
  ]);
});

/** The status of a change that is asked for, in which nothing may happen. */
async function refused(line: string, headers: Readonly<Record<string, string>>, setup: Setup = {}): Promise<number> {
  const { ask, drained, changes, reloads } = newAdmin(setup);
  const { status } = await ask(line, headers);
  assert.equal(drained.size + changes.length + reloads(), 0, `${line} ${JSON.stringify(headers)} changed something`);
  return status;
}

const paths = [
  '/api/replicas/pool/a:1/drain',
  '/api/replicas/pool/a:1/undrain',
  '/api/config/reload',
  '/api/cache/purge?all=true',
];

describe('a purge', () => {
  it('forgets the answers that are meant, tells how many they were, and who asked for it', async () => {
    const { ask, purges, changes } = newAdmin();
    const { status, json } = await ask('POST /api/cache/purge?model=m%20x&tenant=t', marked);
    assert.deepEqual([status, json], [200, { purged: 3 }]);
    assert.deepEqual(purges, [{ model: 'm x', tenant: 't' }]);
    assert.deepEqual(changes, [{ by: '::1', change: 'purge', model: 'm x', tenant: 't' }]);
    assert.deepEqual((await ask('POST /api/cache/purge?all=true', marked)).json, { purged: 3 });
    assert.deepEqual(purges[1], {});
  });

  it('that does not say what it means forgets nothing', async () => {
    const { ask, purges, changes } = newAdmin();
    for (const query of ['', '?', '?all=1', '?modell=m', '?key=']) {
      const { status, json } = await ask(`POST /api/cache/purge${query}`, marked);
      assert.equal(status, 400, query);
      assert.match(json.error, /^query: /);
    }
    assert.deepEqual([purges, changes], [[], []]);
  });

  it('that could not reach everything says so', async () => {
    const { status, json } = await newAdmin().ask('POST /api/cache/purge?model=lost', marked);
    assert.equal(status, 503);
    assert.deepEqual(json, { error: 'Redis could not be asked: what it holds is still there', model: 'lost' });
  });
});

describe('nothing is changed', () => {
  it('by any method but POST, and the answer says so', async () => {
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
        assert.equal(await refused(`${method} ${path}`, marked), 405, `${method} ${path}`);
        const { headers } = await newAdmin().ask(`${method} ${path}`, marked);
        assert.equal(headers.get('allow'), 'POST');
      }
    }
  });

  it('without the mark, or with another value of it', async () => {
    for (const path of paths) {
      assert.equal(await refused(`POST ${path}`, {}), 403);
      for (const value of ['', '0', '2', 'true', '1, 1', '01', '"1"'])
        assert.equal(await refused(`POST ${path}`, { 'x-headgate-admin': value }), 403, value);
    }
  });

  it('by the mark alone where there is a token', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer t', 'Basic token', 'token', 'Bearer token token'])
      assert.equal(await refused(drain, { ...marked, authorization }, { token: 'token' }), 401, authorization);
    assert.equal(await refused(drain, marked, { token: 'token' }), 401);
    assert.equal(await refused(`${drain}?token=token`, marked, { token: 'token' }), 401);
  });

  it('for a page of another origin, also with the mark or the token', async () => {
    const origins = [
      'null',
      '',
      'http://evil.test',
      'http://localhost',
      'http://localhost:9091',
      'http://127.0.0.1:9090',
      'http://localhost:9090.evil.test',
      'http://localhost:9090@evil.test',
      'http://evil.test/localhost:9090',
      'http://localhost:9090, http://evil.test',
      'file://localhost:9090',
    ];
    for (const origin of origins) {
      assert.equal(await refused(drain, { ...marked, origin }), 403, origin);
      assert.equal(await refused(drain, { authorization: 'Bearer t', origin }, { token: 't' }), 403, origin);
    }
  });

  it('for a host that is not of this machine, where the port is', async () => {
    assert.equal(await refused(drain, { ...marked, host: 'evil.test:9090' }), 421);
    assert.equal(await refused(drain, { ...marked, host: 'localhost, evil.test' }), 421);
  });
});

describe('a change is allowed', () => {
  it('by the token alone', async () => {
    const { ask, drained } = newAdmin({ token: 'token' });
    assert.equal((await ask(drain, { authorization: 'Bearer token' })).status, 200);
    assert.equal(drained.size, 1);
  });

  it('for a page of the port itself, also behind TLS and on the port that a scheme has by default', async () => {
    for (const [host, origin] of [
      ['localhost:9090', 'http://localhost:9090'],
      ['LOCALHOST:9090', 'http://localhost:9090'],
      ['gate.example', 'https://gate.example'],
      ['gate.example:443', 'https://gate.example'],
      ['gate.example:80', 'http://gate.example'],
    ] as const) {
      const { ask } = newAdmin({ isLoopback: false });
      assert.equal((await ask(drain, { ...marked, host, origin })).status, 200, `${host} ${origin}`);
    }
  });
});

it('every answer says that it may not be stored, is what it says it is, and lets no origin in', async () => {
  const { ask } = newAdmin({ token: 't' });
  const shown = { authorization: 'Bearer t' };
  const lines = ['GET /healthz', 'GET /metrics', 'GET /api/config', 'GET /nothing', `OPTIONS ${paths[0]}`, drain];
  const answers = await Promise.all([
    ...lines.flatMap((line) => [ask(line), ask(line, shown), ask(line, { ...shown, origin: 'http://evil.test' })]),
    ask('GET /healthz', { host: 'evil.test' }),
  ]);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].toSorted(), [200, 401, 403, 404, 405, 421, 500]);
  for (const { headers } of answers) {
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.deepEqual(
      [...headers.keys()].filter((name) => name.startsWith('access-control-')),
      [],
    );
  }
});

it('a fault of the gateway’s own is told to the log, and not to the operator', async () => {
  const { ask, faults } = newAdmin();
  const { status, json } = await ask('GET /metrics');
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(json), /canary/);
  assert.match(String(faults), /canary/);
});
