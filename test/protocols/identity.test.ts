import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Protocol } from '../../gateway/pipeline/protocol.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { plainHttp, plainRequest, plainUpload } from '../../gateway/protocols/plain-http.ts';
import { modelStatus, tfServing } from '../../gateway/protocols/tf-serving.ts';
import { type AskedSpec, keyOf, newAsked } from '../support/caching/asked.ts';
import { frame } from '../support/infer-message.ts';

function identityOf(spec: AskedSpec) {
  const { protocol, head, ask } = newAsked(spec);
  return protocol.identity(head, ask.content);
}

function isDeterministic(protocol: Protocol, operation: string, body: object, path?: string): boolean | null {
  const spec = { protocol, operation, body: JSON.stringify({ model: 'm', ...body }) };
  return identityOf(path === undefined ? spec : { ...spec, path })?.isDeterministic ?? null;
}

describe('asked again, the answer is the same', () => {
  it('of a tensor model', () => {
    assert.equal(isDeterministic(openInference, 'infer', { inputs: [] }), true);
    for (const verb of ['predict', 'classify', 'regress'])
      assert.equal(isDeterministic(tfServing, 'predict', {}, `/v1/models/m:${verb}`), true, verb);
  });

  it('of an embedding', () => {
    assert.equal(isDeterministic(openai, 'embedding', { input: 'x' }), true);
  });

  it('of a chat, a completion or a generation at temperature zero, or with a seed', () => {
    for (const [protocol, operation] of [
      [openai, 'chat'],
      [openai, 'completion'],
      [openInference, 'generate'],
      [openInference, 'generate_stream'],
    ] as const) {
      for (const fixed of [
        { temperature: 0 },
        { temperature: 0.0, seed: null },
        { temperature: 1, seed: 7 },
        { seed: 0 },
      ])
        assert.equal(isDeterministic(protocol, operation, fixed), true, JSON.stringify(fixed));
      for (const open of [
        {},
        { temperature: 0.1 },
        { temperature: null },
        { seed: null },
        { seed: '7' },
        { temperature: '0' },
      ])
        assert.equal(isDeterministic(protocol, operation, open), false, JSON.stringify(open));
    }
    assert.equal(isDeterministic(openInference, 'generate', { parameters: { temperature: 0 } }), true);
    assert.equal(isDeterministic(openai, 'chat', { parameters: { temperature: 0 } }), false);
  });

  it('of nothing that is explained by samples, nor of what the gateway knows nothing about', () => {
    assert.equal(isDeterministic(tfServing, 'predict', {}, '/v1/models/m:explain'), false);
    for (const endpoint of [plainRequest, plainUpload])
      assert.equal(identityOf({ protocol: plainHttp, endpoint, path: '/x', body: 'x' })?.isDeterministic, false);
  });
});

describe('no two requests have one answer', () => {
  it('that read what changes by itself', () => {
    for (const operation of ['ready', 'metadata', 'config', 'stats'])
      assert.equal(identityOf({ protocol: openInference, operation }), null, operation);
    assert.equal(identityOf({ protocol: tfServing, endpoint: modelStatus, path: '/v1/models/m' }), null);
  });

  it('where the tensors, or the memory of what came before, lie with the replica', () => {
    const input = { name: 'x', shape: [1], datatype: 'FP32' };
    for (const message of [
      { inputs: [{ ...input, parameters: { shared_memory_region: 'r', shared_memory_byte_size: 4 } }] },
      { inputs: [{ ...input, data: [1] }], outputs: [{ name: 'y', parameters: { shared_memory_region: 'r' } }] },
      { inputs: [{ ...input, data: [1] }], parameters: { sequence_id: 7, sequence_start: true } },
    ])
      assert.equal(identityOf({ body: JSON.stringify(message) }), null, JSON.stringify(message));
    assert.equal(identityOf({ body: '{"parameters":{"\\u0073equence_id":7},"inputs":[]}' }), null);
  });

  it('of the endpoints of the OpenAI API that remember, or make anew', () => {
    for (const path of ['/v1/responses', '/v1/images/generations'])
      assert.equal(
        identityOf({ protocol: openai, operation: 'other', path, body: '{"model":"m","temperature":0}' }),
        null,
      );
  });

  it('of plain HTTP that changes something', () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND']) {
      const { head } = newAsked({ protocol: plainHttp, endpoint: plainUpload, path: '/x' });
      assert.equal(plainHttp.identity({ ...head, method }, new Uint8Array(0)), null, method);
    }
  });
});

describe('plain HTTP', () => {
  it('is compared byte for byte, and by how it says it is framed', () => {
    const keyFor = (body: string, endpoint = plainUpload) => keyOf({ protocol: plainHttp, endpoint, path: '/x', body });
    assert.equal(keyFor('{"a":1}'), keyFor('{"a":1}'));
    assert.notEqual(keyFor('{"a":1}'), keyFor('{"a": 1}'));
    assert.notEqual(keyFor(''), keyFor('', plainRequest));
    const framed = (length: string) =>
      keyOf({
        protocol: plainHttp,
        endpoint: plainUpload,
        path: '/x',
        body: 'x',
        headers: { 'inference-header-content-length': length },
      });
    assert.notEqual(framed('1'), framed('0'));
  });
});

describe('tensors in binary form', () => {
  const input = { name: 'x', shape: [2], datatype: 'FP32', parameters: { binary_data_size: 8 } };
  const tensor = Buffer.from([0, 0, 128, 63, 0, 0, 0, 64]);
  const keyFor = (message: object, binary = [tensor]) => keyOf(frame(message, binary));
  const key = keyFor({ inputs: [input] });

  it('are the same where their bytes, shapes, types and names are, whatever the id', () => {
    assert.ok(key !== null);
    assert.equal(keyFor({ id: '7', inputs: [input] }), key);
    const { datatype, ...rest } = input;
    const reordered = frame({ inputs: [{ datatype, ...rest }] }, [tensor]);
    assert.equal(keyOf(reordered), key);
  });

  it('are others with any bit changed, and with another shape, type or name', () => {
    for (let bit = 0; bit < 8 * tensor.length; bit++) {
      const changed = Buffer.from(tensor);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.notEqual(keyFor({ inputs: [input] }, [changed]), key);
    }
    for (const change of [{ shape: [2, 1] }, { datatype: 'INT32' }, { name: 'y' }])
      assert.notEqual(keyFor({ inputs: [{ ...input, ...change }] }), key, JSON.stringify(change));
    assert.notEqual(keyFor({ inputs: [input] }, [tensor, Buffer.of(0)]), key);
  });

  it('have no key where it is not said how long the JSON in front of them is', () => {
    const { body, headers } = frame({ inputs: [input] }, [tensor]);
    for (const length of ['', ' ', '-1', '1e2', '0x10', '12, 12', '9999'])
      assert.equal(keyOf({ body, headers: { ...headers, 'inference-header-content-length': length } }), null, length);
  });
});

describe('a long request', () => {
  const long = 'x'.repeat(64 * 1024);
  const chat = (members: object, space?: number) =>
    keyOf({ protocol: openai, operation: 'chat', body: JSON.stringify({ model: 'm', ...members }, null, space) });
  const infer = (id: unknown, data = long) => keyOf({ body: JSON.stringify({ id, inputs: [{ data }] }) });

  it('is compared as it is written, but for what changes no answer', () => {
    const key = chat({ user: 'a', stream: true, messages: long });
    assert.ok(key !== null);
    assert.equal(chat({ user: 'somebody else', stream: false, messages: long }), key);
    for (const other of [
      chat({ user: 'a', stream: true, messages: `${long} ` }),
      chat({ user: 'a', stream: true, messages: long }, 1),
      chat({ messages: long, user: 'a', stream: true }),
      chat({ user: 'a', stream: true, messages: long, n: 1 }),
    ])
      assert.notEqual(other, key);
  });

  it('has the same key with another id, wherever it stands and whatever it is', () => {
    assert.ok(infer('1') !== null);
    for (const id of ['2', '', 'a"b\\', { a: [1, '}'] }, null]) assert.equal(infer(id), infer('1'));
    assert.notEqual(infer('1', `${long}y`), infer('1'));
  });

  it('has no key where it names such a member twice, or is cut off', () => {
    for (const body of [`{"id":1,"x":"${long}","id":2}`, `{"id":1,"x":"${long}"`, `{"id":1,"x":"${long}"}}`])
      assert.equal(keyOf({ body }), null);
  });

  it('has the same tensors behind it only where they are the same, and begin where the JSON ends', () => {
    const body = `${JSON.stringify({ inputs: [{ name: long }] })} tensor`;
    const endingAt = (length: number) =>
      keyOf({ body, headers: { 'inference-header-content-length': String(length) } });
    const jsonBytes = body.length - ' tensor'.length;
    assert.ok(endingAt(jsonBytes) !== null);
    assert.notEqual(endingAt(jsonBytes), endingAt(jsonBytes + 1));
    const keyFor = (id: string, binary: Buffer) => keyOf(frame({ id, inputs: [{ name: long }] }, [binary]));
    assert.ok(keyFor('1', Buffer.of(1)) !== null);
    assert.notEqual(keyFor('1', Buffer.of(1)), keyFor('1', Buffer.of(2)));
  });
});
