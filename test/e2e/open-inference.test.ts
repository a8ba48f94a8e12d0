import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { frame, parseAnswer, toBinary } from '../support/infer-message.ts';
import { sendRaw } from '../support/raw-http.ts';
import { modelFiles, writeFiles } from '../support/test-models.ts';
import { startWorker, wholeFile } from '../support/worker-process.ts';

const served = [...new Set(Object.keys(modelFiles()).map((file) => file.split('/')[0] ?? ''))];
const worker = await startWorker(wholeFile, writeFiles(wholeFile, modelFiles()));
const gateway = await startGateway(
  wholeFile,
  `backends:
  - name: tensors
    protocol: open-inference
    models: [${served.map((name) => JSON.stringify(name)).join(', ')}, { name: "an/other name", upstream: adder }, { name: "n", upstream: adder }]
    replicas: [{ url: "${worker.url}" }]
    load: { report: true }
  - name: gone
    protocol: open-inference
    models: [unreachable]
    replicas: [{ url: "http://127.0.0.1:1" }]
`,
);
const places = { 'the gateway': gateway.client, 'the worker itself': worker.url };
await eventually('the worker is ready', async () => (await fetch(`${gateway.client}/v2/models/adder/ready`)).ok);

const x = (values: readonly unknown[], shape: readonly number[] = [values.length / 2, 2], datatype = 'FP32') => ({
  inputs: [{ name: 'x', shape, datatype, data: values }],
});

/** Whatever an answer in JSON may hold. */
interface Told {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
  readonly models: readonly string[];
  readonly error: string;
}

async function get(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  return { status: response.status, json: (await response.json()) as Told };
}

async function infer(base: string, path: string, message: object, binary: readonly Uint8Array[] = []) {
  const { body, headers } = frame(message, binary);
  return post(`${base}/v2/models/${path}/infer`, body, headers);
}

async function post(url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', body, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    response,
    bytes,
    answered: () => parseAnswer(response.headers.get('inference-header-content-length'), bytes),
  };
}

for (const [place, base] of Object.entries(places)) {
  describe(`at ${place}`, () => {
    test('the server says what it is, lives, and lists its models', async () => {
      for (const path of ['/v2', '/v2/']) {
        const { status, json } = await get(base + path);
        assert.equal(status, 200);
        assert.match(json.name, /^headgate/);
        assert.equal(typeof json.version, 'string');
        assert.ok(json.extensions.includes('binary_tensor_data'));
      }
      assert.deepEqual((await get(`${base}/v2/health/live`)).json, { live: true });
      const { models } = (await get(`${base}/v2/models`)).json;
      for (const name of served) assert.ok(models.includes(name), name);
    });

    test('a model tells its metadata and that it is ready, with and without a version', async () => {
      for (const version of ['', '/versions/2']) {
        assert.deepEqual((await get(`${base}/v2/models/adder${version}`)).json, {
          name: 'adder',
          versions: ['10', '2', '1'],
          platform: 'onnx_onnxv1',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
          outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
        });
        assert.deepEqual((await get(`${base}/v2/models/adder${version}/ready`)).json, { name: 'adder', ready: true });
      }
    });

    test('a version is computed with when it is asked for', async () => {
      for (const [path, version] of [
        ['adder', 10],
        ['adder/versions/1', 1],
        ['adder/versions/2', 2],
      ] as const) {
        const { message, outputs } = (await infer(base, path, x([0, 0]))).answered();
        assert.equal(message.model_version, String(version));
        assert.deepEqual(outputs[0]?.bytes, toBinary('FP32', [version, version]));
      }
    });

    test('names are percent-decoded', async () => {
      const { message } = (await infer(base, encodeURIComponent('größer als 100%'), x([0, 0]))).answered();
      assert.equal(message.model_name, 'größer als 100%');
    });

    test('unknown models and versions are 404 and the known are named; other methods are 405', async () => {
      const told = async (path: string, init: RequestInit, status: number, says: RegExp) => {
        const answer = await get(base + path, init);
        assert.equal(answer.status, status, path);
        assert.deepEqual(Object.keys(answer.json), ['error']);
        assert.match(answer.json.error, says);
      };
      const body = { method: 'POST', body: JSON.stringify(x([1, 2])) };
      for (const path of ['', '/ready', '/versions/1'])
        await told(`/v2/models/nobody${path}`, {}, 404, /nobody.*adder/);
      await told('/v2/models/nobody/infer', body, 404, /nobody.*adder/);
      await told('/v2/models/%zz/infer', body, 404, /%zz/);
      await told('/v2/models/adder/versions/3', {}, 404, /no version 3; there are: 10, 2, 1/);
      await told('/v2/models/adder/versions/x/infer', body, 404, /no version x/);
      for (const path of ['/v2', '/v2/models', '/v2/health/live', '/v2/health/ready', '/v2/models/adder'])
        await told(path, body, 405, /got POST, wanted GET/);
      await told('/v2/models/adder/infer', {}, 405, /got GET, wanted POST/);
      await told('/v2/nothing', {}, 404, /\/v2\/nothing/);
    });

    test('HEAD is answered as GET, without the body', async () => {
      for (const path of [
        '/v2',
        '/v2/health/live',
        '/v2/models/adder',
        '/v2/models/adder/ready',
        '/v2/models/nobody',
      ]) {
        const whole = await sendRaw(base, { path });
        const head = await sendRaw(base, { path, method: 'HEAD' });
        assert.deepEqual(
          [head.status, head.headers['content-type'], head.body.length],
          [whole.status, 'application/json', 0],
          path,
        );
      }
    });

    test('JSON and binary tensors come in any mix', async () => {
      const numbers = toBinary('FP32', [1, 2, 3]);
      const counts = toBinary('INT64', [2n ** 53n + 1n, -(2n ** 63n)]);
      const inJson = [
        { name: 'numbers', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
        { name: 'counts', shape: [1, 2], datatype: 'INT64', data: [2n ** 53n + 1n, -(2n ** 63n)] },
      ];
      const inBinary = inJson.map(({ data: _, ...input }, at) => ({
        ...input,
        parameters: { binary_data_size: at === 0 ? 12 : 16 },
      }));
      for (let mix = 0; mix < 16; mix++) {
        const isBinary = (at: number) => (mix & (1 << at)) > 0;
        const inputs = inJson.map((input, at) => (isBinary(at) ? inBinary[at] : input));
        const outputs = ['numbers_out', 'counts_out'].map((name, at) => ({
          name,
          parameters: { binary_data: isBinary(at + 2) },
        }));
        const binary = [numbers, counts].filter((_, at) => isBinary(at));
        const { message, outputs: got } = (await infer(base, 'mixed', { id: '', inputs, outputs }, binary)).answered();
        assert.equal(message.id, '');
        assert.deepEqual(
          got.map(({ name, shape, isBinary: asBinary, bytes }) => [name, shape, asBinary, bytes.toString('hex')]),
          [
            ['numbers_out', [1, 3], isBinary(2), numbers.toString('hex')],
            ['counts_out', [1, 2], isBinary(3), counts.toString('hex')],
          ],
        );
      }
    });

    test('half precision, texts and truth values pass in binary', async () => {
      const parts = {
        half: toBinary('FP16', [1, 0x7e01]),
        words: toBinary('BYTES', ['größer']),
        flags: toBinary('BOOL', [1, 0, 1]),
      };
      const shapes = { half: [1, 2], words: [1, 1], flags: [1, 3] };
      const datatypes = { half: 'FP16', words: 'BYTES', flags: 'BOOL' };
      const names = ['words', 'flags', 'half'] as const;
      const inputs = names.map((name) => ({
        name,
        shape: shapes[name],
        datatype: datatypes[name],
        parameters: { binary_data_size: parts[name].length },
      }));
      const message = { inputs, parameters: { binary_data_output: true } };
      const { outputs } = (
        await infer(
          base,
          'trio',
          message,
          names.map((name) => parts[name]),
        )
      ).answered();
      assert.deepEqual(Object.fromEntries(outputs.map(({ name, bytes }) => [name.replace('_out', ''), bytes])), parts);
    });

    test('raw binary is the one input, and everything comes back in binary', async () => {
      const headers = { 'inference-header-content-length': '0' };
      const bytes = new Uint8Array(toBinary('FP32', [1, 2]));
      const { answered } = await post(`${base}/v2/models/adder/infer`, bytes, headers);
      assert.deepEqual(answered().outputs[0]?.bytes, toBinary('FP32', [11, 12]));
      assert.equal(answered().outputs[0]?.isBinary, true);
      const word = await post(`${base}/v2/models/word/infer`, new Uint8Array(Buffer.from('größer')), headers);
      assert.deepEqual(word.answered().outputs[0]?.bytes, toBinary('BYTES', ['größer']));
      const none = await post(`${base}/v2/models/sum/infer`, new Uint8Array(0), headers);
      assert.deepEqual(none.answered().outputs[0]?.bytes, toBinary('FP32', [0]));
    });

    test('a body may be compressed, JSON and binary alike', async () => {
      const inputs = [{ name: 'x', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } }];
      for (const { body, headers } of [frame(x([1, 2])), frame({ inputs }, [toBinary('FP32', [1, 2])])]) {
        const url = `${base}/v2/models/adder/infer`;
        const { answered } = await post(url, gzipSync(body), { ...headers, 'content-encoding': 'gzip' });
        assert.deepEqual(answered().outputs[0]?.bytes, toBinary('FP32', [11, 12]));
      }
      const { response, bytes } = await post(`${base}/v2/models/adder/infer`, gzipSync('{}'), {
        'content-encoding': 'zip',
      });
      assert.equal(response.status, 415);
      assert.match(JSON.parse(bytes.toString()).error, /^content-encoding: got zip/);
    });

    test('a body that announces too much is refused before it is sent', async () => {
      const headers = [['content-length', String(64 * 1024 * 1024 + 1)]] as const;
      const { status, body } = await sendRaw(base, { method: 'POST', path: '/v2/models/adder/infer', headers });
      assert.equal(status, 413);
      assert.match(JSON.parse(body.toString()).error, /^the body is over \d+ bytes/);
    });
  });
}

describe('a model that the replica knows by another name', () => {
  const other = encodeURIComponent('an/other name');

  for (const [path, name] of [
    [other, 'an/other name'],
    ['n', 'n'],
  ] as const) {
    test(`is called ${name} in every answer`, async () => {
      const base = gateway.client;
      assert.equal((await get(`${base}/v2/models/${path}`)).json.name, name);
      assert.equal((await get(`${base}/v2/models/${path}/ready`)).json.name, name);
      const json = await infer(base, path, { id: 'q', ...x([1, 2]) });
      assert.deepEqual(json.answered().message, {
        ...json.answered().message,
        model_name: name,
        id: 'q',
        model_version: '10',
      });
      assert.equal(json.response.headers.get('content-length'), String(json.bytes.length));
      assert.equal(json.response.headers.get('x-headgate-model'), 'adder');
      const message = { ...x([1, 2]), parameters: { binary_data_output: true } };
      const binary = await infer(base, `${path}/versions/2`, message);
      assert.equal(binary.answered().message.model_name, name);
      assert.deepEqual(binary.answered().outputs[0]?.bytes, toBinary('FP32', [3, 4]));
      const refused = await infer(base, path, { inputs: [] });
      assert.deepEqual(
        [refused.response.status, JSON.parse(refused.bytes.toString())],
        [400, { error: 'inputs: got nothing, wanted the input x' }],
      );
    });
  }
});

test('the gateway is ready when each of its backends is', async () => {
  assert.deepEqual((await get(`${gateway.client}/v2/health/ready`)).status, 503);
  assert.deepEqual((await get(`${worker.url}/v2/health/ready`)).json, { ready: true });
});

test('a model whose replica is gone is 503, in the shape of the protocol', async () => {
  const { status, json } = await get(`${gateway.client}/v2/models/unreachable`);
  assert.deepEqual([status, Object.keys(json)], [503, ['error']]);
});

test('the gateway passes on bodies as they came, compressed or not', async (t) => {
  const seen: { request: IncomingMessage; body: Buffer }[] = [];
  const replica = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method === 'POST') seen.push({ request, body: Buffer.concat(chunks) });
    const answer = gzipSync('{"model_name":"a","outputs":[]}');
    const isWelcome = /gzip/.test(String(request.headers['accept-encoding']));
    if (isWelcome) response.setHeader('content-encoding', 'gzip');
    response.end(isWelcome ? answer : gunzipSync(answer));
  });
  await new Promise<void>((resolve) => {
    replica.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => replica.close());
  const { client } = await startGateway(
    t,
    `backends:
  - name: seen
    protocol: open-inference
    models: [a, { name: b, upstream: a }]
    replicas: [{ url: "http://127.0.0.1:${(replica.address() as AddressInfo).port}" }]
`,
  );
  await eventually('the replica is ready', async () => (await fetch(`${client}/v2/health/ready`)).ok);
  const inputs = [{ name: 'x', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } }];
  const framed = frame({ inputs }, [toBinary('FP32', [1, 2])]);
  const zipped = gzipSync(framed.body);
  for (const model of ['a', 'b']) {
    const headers: [string, string][] = [
      ...Object.entries(framed.headers),
      ['content-encoding', 'gzip'],
      ['accept-encoding', 'gzip'],
      ['content-length', String(zipped.length)],
    ];
    const { body, headers: got } = await sendRaw(client, {
      method: 'POST',
      path: `/v2/models/${model}/infer`,
      headers,
      body: zipped,
    });
    const { request, body: sent } = seen.pop() ?? assert.fail('nothing arrived');
    assert.deepEqual(sent, zipped);
    assert.equal(request.url, '/v2/models/a/infer');
    assert.equal(request.headers['content-encoding'], 'gzip');
    assert.equal(request.headers['inference-header-content-length'], framed.headers['inference-header-content-length']);
    // An answer in which the name is replaced must come as plain text.
    assert.equal(got['content-encoding'], model === 'a' ? 'gzip' : undefined);
    const plain = model === 'a' ? gunzipSync(body) : body;
    assert.equal(JSON.parse(plain.toString()).model_name, model);
  }
});

test('load reports reach the gateway and no client', async () => {
  const { response } = await infer(gateway.client, 'adder', x([1, 2]));
  assert.equal(response.headers.get('endpoint-load-metrics'), null);
  const { json } = await get(`${gateway.admin}/api/backends`);
  assert.match(JSON.stringify(json), /"slots":8/);
});
