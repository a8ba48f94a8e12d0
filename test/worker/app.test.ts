import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { silence } from '../../gateway/balance/load-report.ts';
import { parseLoadReport } from '../../gateway/upstream/load-report.ts';
import { workerApp } from '../../gateway/worker/app.ts';
import { Batcher } from '../../gateway/worker/batcher.ts';
import { ThreadEngine } from '../../gateway/worker/engine.ts';
import { loadModels, Models } from '../../gateway/worker/models.ts';
import { frame, parseAnswer, toBinary } from '../support/infer-message.ts';
import { modelFiles, mostRows, writeFiles } from '../support/test-models.ts';

const maxBodyBytes = 64 * 1024;
const folder = writeFiles({ after }, { ...modelFiles(), 'broken/1/model.onnx': 'no model' });
const engine = new ThreadEngine({ threads: 1, onEnd: () => {} });
after(() => engine.close());
const models = await loadModels(folder, [], engine);
const batches: number[] = [];
const batcher = new Batcher({ engine, onBatch: (_model, rows) => batches.push(rows) });
const standing = { isDraining: false };
const app = newApp(models);

function newApp(served: Models) {
  const metrics = async () => ({ contentType: 'text/plain', text: '# nothing\n' });
  return workerApp({ models: served, batcher, version: '1.2.3', maxBodyBytes, standing, metrics });
}

async function get(path: string, init: RequestInit = {}, of = app) {
  const response = await of.request(path, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
}

async function infer(
  model: string,
  message: object,
  binary: readonly Uint8Array[] = [],
  headers: Record<string, string> = {},
) {
  const framed = frame(message, binary);
  const init = { method: 'POST', body: framed.body, headers: { ...framed.headers, ...headers } };
  const response = await app.request(`/v2/models/${model}/infer`, init);
  const body = Buffer.from(await response.arrayBuffer());
  return { response, body, answered: () => parseAnswer(response.headers.get('inference-header-content-length'), body) };
}

const x = (values: readonly unknown[], shape: readonly number[] = [values.length / 2, 2], datatype = 'FP32') => ({
  inputs: [{ name: 'x', shape, datatype, data: values }],
});

describe('what the worker says of itself', () => {
  test('/v2 names it, its version and its extensions', async () => {
    const wanted = { name: 'headgate-worker', version: '1.2.3', extensions: ['binary_tensor_data'] };
    for (const path of ['/v2', '/v2/']) assert.deepEqual((await get(path)).json, wanted);
  });

  test('it is live always, and ready while it has a model and does not drain', async (t) => {
    assert.deepEqual((await get('/v2/health/live')).json, { live: true });
    assert.deepEqual((await get('/v2/health/ready')).json, { ready: true });
    const empty = newApp(new Models([], []));
    const unready = await get('/v2/health/ready', {}, empty);
    assert.deepEqual([unready.status, unready.json], [503, { ready: false, reason: 'no model could be loaded' }]);
    t.after(() => {
      standing.isDraining = false;
    });
    standing.isDraining = true;
    const draining = await get('/v2/health/ready');
    assert.deepEqual([draining.status, draining.headers.get('connection')], [503, 'close']);
    assert.equal((await get('/v2/health/live')).status, 200);
    assert.equal((await infer('no-card', x([1, 2]))).response.status, 200);
  });

  test('/v2/models lists each model once', async () => {
    const { models: names } = (await get('/v2/models')).json;
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes('adder') && names.includes('größer als 100%') && !names.includes('broken'));
  });

  test('/metrics are what the metrics are', async () => {
    assert.equal((await get('/metrics')).text, '# nothing\n');
  });
});

describe('what it says of a model', () => {
  test('its metadata, with or without a version', async () => {
    const wanted = {
      name: 'adder',
      versions: ['10', '2', '1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
    };
    assert.deepEqual((await get('/v2/models/adder')).json, wanted);
    assert.deepEqual((await get('/v2/models/adder/versions/2')).json, wanted);
  });

  test('that it is ready', async () => {
    for (const path of ['/v2/models/adder/ready', '/v2/models/adder/versions/1/ready']) {
      assert.deepEqual((await get(path)).json, { name: 'adder', ready: true });
    }
  });

  test('names are decoded as whatever they stand for', async () => {
    const name = 'größer als 100%';
    const { status, json } = await get(`/v2/models/${encodeURIComponent(name)}`);
    assert.deepEqual([status, json?.name], [200, name]);
    assert.equal((await infer(encodeURIComponent(name), x([1, 2]))).answered().message.model_name, name);
  });
});

describe('errors', () => {
  const told = async (path: string, init: RequestInit, status: number, says: RegExp | string) => {
    const { status: got, json, headers } = await get(path, init);
    assert.equal(got, status, path);
    assert.deepEqual(Object.keys(json ?? {}), ['error'], path);
    if (typeof says === 'string') assert.equal(json.error, says);
    else assert.match(json.error, says);
    assert.ok(headers.has('endpoint-load-metrics'), path);
    return headers;
  };

  test('unknown models and versions are 404, and the known ones are named', async () => {
    const unknown = /^model "nobody" is not known here; there are: .*adder/;
    for (const path of ['', '/ready', '/versions/1', '/versions/1/ready'])
      await told(`/v2/models/nobody${path}`, {}, 404, unknown);
    await told('/v2/models/nobody/infer', { method: 'POST', body: '{}' }, 404, unknown);
    for (const path of ['', '/ready'])
      await told(`/v2/models/adder/versions/3${path}`, {}, 404, 'model adder has no version 3; there are: 10, 2, 1');
    await told('/v2/models/adder/versions/3/infer', { method: 'POST', body: '{}' }, 404, /no version 3/);
    await told('/v2/models/%zz', {}, 404, /^model "%zz" is not known here/);
  });

  test('a model that could not be loaded is 503 with the reason', async () => {
    for (const path of ['', '/ready'])
      await told(`/v2/models/broken${path}`, {}, 503, /^model broken could not be loaded: version 1: /);
  });

  test('another method is 405 and the right one is named; a path of nothing is 404', async () => {
    for (const path of [
      '/v2',
      '/v2/models',
      '/v2/health/live',
      '/v2/health/ready',
      '/v2/models/adder',
      '/v2/models/adder/ready',
    ]) {
      const headers = await told(path, { method: 'POST' }, 405, `${path}: got POST, wanted GET`);
      assert.equal(headers.get('allow'), 'GET');
    }
    for (const method of ['GET', 'PUT', 'DELETE'])
      await told('/v2/models/adder/infer', { method }, 405, `/v2/models/adder/infer: got ${method}, wanted POST`);
    for (const path of [
      '/',
      '/v2/other',
      '/v2/models/adder/other',
      '/v2/models/adder/config',
      '/v2/models//infer',
      '/v2/health',
    ])
      await told(path, {}, 404, `there is nothing at GET ${path}`);
  });

  test('a body that is too large is 413, as it comes or once it is decoded', async () => {
    const path = '/v2/models/adder/infer';
    const large = Buffer.alloc(maxBodyBytes + 1, ' ');
    await told(path, { method: 'POST', body: large }, 413, `the body is over ${maxBodyBytes} bytes`);
    const headers = { 'content-encoding': 'gzip' };
    await told(
      path,
      { method: 'POST', body: gzipSync(large), headers },
      413,
      /^the body is over 65536 bytes when decoded/,
    );
    const chunked = new Blob([large]).stream();
    await told(path, { method: 'POST', body: chunked, duplex: 'half' }, 413, `the body is over ${maxBodyBytes} bytes`);
    await told(path, { method: 'POST', body: large.subarray(1) }, 400, /^body: /);
  });

  test('an encoding nobody knows is 415, and a body that is not so encoded 400', async () => {
    const init = (encoding: string, body: Buffer<ArrayBuffer>) => ({
      method: 'POST',
      body,
      headers: { 'content-encoding': encoding },
    });
    const path = '/v2/models/adder/infer';
    const json = Buffer.from('{}');
    await told(path, init('zip', json), 415, /^content-encoding: got zip, wanted one of gzip/);
    await told(path, init('gzip, gzip', json), 415, /^content-encoding: got gzip, gzip/);
    await told(path, init('gzip', json), 400, 'content-encoding: the body is not gzip, or not all of it');
    await told(
      path,
      init('gzip', gzipSync(json).subarray(0, -5)),
      400,
      'content-encoding: the body is not gzip, or not all of it',
    );
    await told(path, init('identity', json), 400, /^inputs: got nothing/);
  });

  test('inputs that the model cannot compute with are the fault of the inputs', async () => {
    const body = frame(x([3], [1], 'INT64')).body;
    await told(
      '/v2/models/picky/infer',
      { method: 'POST', body },
      400,
      /^inputs: the model cannot compute with them: .*out of data bounds/,
    );
  });
});

describe('inference', () => {
  test('answers with the id, the model, its version and the outputs', async () => {
    const { response, body } = await infer('adder', { id: 'q', ...x([1, 2]) });
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(
      body.toString(),
      '{"model_name":"adder","model_version":"10","id":"q","outputs":[{"name":"y","datatype":"FP32","shape":[1,2],"data":[11,12]}]}',
    );
  });

  test('computes the version asked for', async () => {
    for (const version of [1, 2, 10]) {
      const { answered } = await infer(`adder/versions/${version}`, x([0, 0]));
      assert.equal(answered().message.model_version, String(version));
      assert.deepEqual(answered().outputs[0]?.bytes, toBinary('FP32', [version, version]));
    }
  });

  test('takes JSON, binary, gzip and raw bodies, and does not mind what the content type says', async () => {
    const wanted = toBinary('FP32', [11, 12]);
    const bytes = toBinary('FP32', [1, 2]);
    const inputs = [{ name: 'x', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } }];
    const outputs = [{ name: 'y', parameters: { binary_data: true } }];
    const binary = await infer('adder', { inputs, outputs }, [bytes], { 'content-type': 'text/plain' });
    assert.equal(binary.response.headers.get('content-type'), 'application/octet-stream');
    assert.deepEqual(binary.answered().outputs[0], {
      name: 'y',
      datatype: 'FP32',
      shape: [1, 2],
      isBinary: true,
      bytes: wanted,
    });
    const zipped = await app.request('/v2/models/adder/infer', {
      method: 'POST',
      body: gzipSync(frame(x([1, 2])).body),
      headers: { 'content-encoding': 'gzip' },
    });
    assert.deepEqual(parseAnswer(null, Buffer.from(await zipped.arrayBuffer())).outputs[0]?.bytes, wanted);
    const raw = await app.request('/v2/models/adder/infer', {
      method: 'POST',
      body: new Uint8Array(bytes),
      headers: { 'inference-header-content-length': '0' },
    });
    const answered = parseAnswer(
      raw.headers.get('inference-header-content-length'),
      Buffer.from(await raw.arrayBuffer()),
    );
    assert.deepEqual(answered.outputs[0], {
      name: 'y',
      datatype: 'FP32',
      shape: [1, 2],
      isBinary: true,
      bytes: wanted,
    });
  });

  test('computes models without a batch dimension, without dimensions and without inputs', async () => {
    const six = [1, 2, 3, 4, 5, 6];
    assert.deepEqual((await infer('fixed', x(six, [2, 3]))).answered().outputs[0]?.bytes, toBinary('FP32', six));
    const scalar = (await infer('scalar', x([7], []))).answered().outputs[0];
    assert.deepEqual([scalar?.shape, scalar?.bytes], [[], toBinary('FP32', [7])]);
    assert.deepEqual((await infer('sum', x(six, [6]))).answered().outputs[0]?.bytes, toBinary('FP32', [21]));
    assert.deepEqual((await infer('constant', { inputs: [] })).answered().outputs[0]?.bytes, toBinary('FP32', [1, 2]));
  });

  test('answers no rows with no rows', async () => {
    const output = (await infer('adder', x([], [0, 2]))).answered().outputs[0];
    assert.deepEqual([output?.shape, output?.bytes.length], [[0, 2], 0]);
  });

  test('says which answers depend on what they were computed with', async () => {
    const header = 'x-headgate-batch-invariant';
    assert.equal((await infer('leaning', x([1, 2]))).response.headers.get(header), 'false');
    assert.equal((await infer('adder', x([1, 2]))).response.headers.get(header), null);
  });

  test('takes at most as many rows as its card says', async () => {
    const rows = (count: number) => x(Array(count * 2).fill(1));
    assert.equal((await infer('adder', rows(mostRows))).response.status, 200);
    const { response, body } = await infer('adder', rows(mostRows + 1));
    assert.deepEqual(
      [response.status, JSON.parse(body.toString()).error],
      [400, 'x.shape[0]: got 9, wanted at most 8 rows (max_batch of the model)'],
    );
  });

  test('gives each of many at once the same bytes as it gets alone, computing them together', async () => {
    const messages = Array.from({ length: 40 }, (_, n) =>
      x(Array.from({ length: 2 * (1 + (n % 3)) }, (__, at) => n + at / 7)),
    );
    const alone: string[] = [];
    for (const message of messages) alone.push((await infer('adder', message)).body.toString());
    batches.length = 0;
    const together = await Promise.all(messages.map((message) => infer('adder', message)));
    assert.deepEqual(
      together.map(({ body }) => body.toString()),
      alone,
    );
    assert.ok(Math.max(...batches) > 3 && Math.max(...batches) <= mostRows, `${batches}`);
  });

  test('computes the good ones among many of which one cannot be', async () => {
    const values = [0, 1, 7, 2, 0, 1];
    const answers = await Promise.all(values.map((value) => infer('picky', x([value], [1], 'INT64'))));
    assert.deepEqual(
      answers.map(({ response }) => response.status),
      [200, 200, 400, 200, 200, 200],
    );
    assert.deepEqual(
      answers.filter(({ response }) => response.ok).map(({ answered }) => answered().outputs[0]?.bytes.readFloatLE()),
      [10, 20, 30, 10, 20],
    );
  });
});

describe('load reports', () => {
  test('come with every reply, in the form asked for', async () => {
    const asked: [string, RequestInit][] = [
      ['/v2', {}],
      ['/v2/health/live', {}],
      ['/v2/health/ready', {}],
      ['/v2/models', {}],
      ['/v2/models/adder', {}],
      ['/v2/models/adder/ready', {}],
      ['/v2/models/nobody', {}],
      ['/nothing', {}],
      ['/v2', { method: 'POST' }],
      ['/v2/models/adder/infer', { method: 'POST', body: 'x' }],
    ];
    for (const [path, init] of asked) {
      const { headers } = await get(path, init);
      const report = { ...silence, slots: mostRows, inFlight: 0, queued: 0 };
      assert.deepEqual(parseLoadReport(headers.get('endpoint-load-metrics') ?? ''), report, path);
    }
    const { headers } = await get('/v2', { headers: { 'endpoint-load-metrics-format': 'text' } });
    assert.match(headers.get('endpoint-load-metrics') ?? '', /^TEXT named_metrics\.slots=8,/);
  });

  test('tell with an inference what it took and what still waits', async () => {
    const answers = await Promise.all(Array.from({ length: 3 }, () => infer('sum', x([1], [1]))));
    const reports = answers.map(({ response }) => parseLoadReport(response.headers.get('endpoint-load-metrics') ?? ''));
    assert.ok(reports.every((report) => (report?.serviceSeconds ?? 0) > 0));
    const inFlight = reports.map((report) => report?.inFlight ?? 0);
    assert.deepEqual(inFlight, [2, 1, 0]);
  });
});
