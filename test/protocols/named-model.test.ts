import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import type { RequestHead } from '../../gateway/pipeline/exchange.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { readNamedModel, withModel } from '../../gateway/protocols/named-model.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { read } from '../../gateway/stages/read.ts';
import { repetitions } from '../support/counts.ts';
import { newExchange } from '../support/exchanges.ts';

const numRuns = repetitions({ quick: 60, full: 5_000 });

const headOf = (contentType: string): RequestHead =>
  newExchange({ protocol: openai, operation: 'chat', headers: { 'content-type': contentType } }).head;
const json = headOf('application/json');
const unknown = { inputAt: -1, inputTokens: null, outputTokens: null };
const readJson = (text: string) => readNamedModel(json, Buffer.from(text));

/** A form as Node's own client sends it. */
async function sent(form: FormData): Promise<{ head: RequestHead; body: Buffer }> {
  const request = new Request('http://localhost', { method: 'POST', body: form });
  const head = headOf(request.headers.get('content-type') ?? '');
  return { head, body: Buffer.from(await request.arrayBuffer()) };
}

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

describe('the model that a body of JSON names', () => {
  it('is read with what else is asked for', () => {
    assert.deepEqual(readJson('{"model":"gpt"}'), { ...unknown, model: 'gpt', isStreaming: false });
    assert.deepEqual(readJson('{"stream":true,"model":"a/b é"}'), { ...unknown, model: 'a/b é', isStreaming: true });
    const embedding = { ...unknown, model: 'e', isStreaming: false, inputAt: 9, inputTokens: 2 };
    assert.deepEqual(readJson('{"input":["x"],"model":"e"}'), embedding);
    assert.deepEqual(readJson(String.raw`{"model":"g\u0070t"}`).model, 'gpt');
  });

  it('is read whatever the content type says, for many clients say nothing true', () => {
    for (const type of ['', 'text/plain', 'multipart/form-data'])
      assert.equal(readNamedModel(headOf(type), Buffer.from('{"model":"gpt"}')).model, 'gpt', type);
  });

  it('is not read from what other servers would read as a form', () => {
    const body = Buffer.from('{"model":"allowed","x":"&model=other&y="}');
    for (const type of ['application/x-www-form-urlencoded', 'Application/X-WWW-Form-Urlencoded; charset=utf-8'])
      assert.throws(() => readNamedModel(headOf(type), body), { code: 'encoding_unsupported', field: 'content-type' });
  });

  it('is not read from what is no JSON: servers that read more than JSON would find other members in it', () => {
    const texts = [
      '',
      '[]',
      '"gpt"',
      'model=gpt',
      '{"model":"',
      '{"model":"allowed"',
      '{"model":"allowed",/*"*/"model":"other"/*"*/}',
      `{"model":"allowed","a":['"'],"model":"other","b":['"']}`,
      '{"model":"allowed"} {"model":"other"}',
      '{"model":"allowed",\0"x":1}',
      '{"model":"allowed","x":#\n1}',
    ];
    for (const text of texts) assert.throws(() => readJson(text), { code: 'invalid_request', field: 'body' }, text);
  });

  it('is read, and refused, in time in proportion to the body, however many escapes are in it', () => {
    for (const key of ['"\\q":1,', '"\\u006d":1,', '"\\u006dodex":1,']) {
      const text = `{${key.repeat(100_000)}"model":"m"}`;
      assert.equal(readJson(text).model, 'm');
    }
  });

  it('has at most 1,024 characters: it goes into messages and logs', () => {
    assert.equal(readJson(JSON.stringify({ model: 'm'.repeat(1024) })).model.length, 1024);
    assert.throws(() => readJson(JSON.stringify({ model: 'm'.repeat(1025) })), { field: 'model' });
  });

  it('asks for a stream only by true itself', () => {
    for (const stream of ['false', 'null', '1', '"true"', '[true]', '{}', 'tru'])
      assert.equal(readJson(`{"model":"m","stream":${stream}}`).isStreaming, false, stream);
  });

  it('is wanted once, as a text with something in it', () => {
    const faults: Readonly<Record<string, string>> = {
      '{}': 'nothing',
      '{"Model":"gpt"}': 'nothing',
      '{"x":{"model":"gpt"}}': 'nothing',
      '{"model":""}': 'something else',
      '{"model":7}': 'something else',
      '{"model":null}': 'something else',
      '{"model":["gpt"]}': 'something else',
      '{"model":"a","model":"b"}': 'model more than once',
      '{"model":"a","x":1,"MODEL":"b"}': 'model more than once',
      '{"model":"a","stream":true,"Stream":false}': 'stream more than once',
      '{"input":[],"model":"a","input":[1]}': 'input more than once',
    };
    for (const [text, got] of Object.entries(faults)) {
      const message = `model: got ${got}, wanted a body of JSON, or a form, that names one model as text`;
      assert.throws(() => readJson(text), { code: 'invalid_request', field: 'model', message }, text);
    }
  });

  it('is replaced by another, and every other byte kept', () => {
    const any = fc.dictionary(
      fc.string({ maxLength: 6 }).filter((name) => !['model', 'stream', 'input'].includes(name.toLowerCase())),
      fc.jsonValue(),
      { maxKeys: 4 },
    );
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(any, any, name, name, (before, after, from, to) => {
        const write = (model: string): string => {
          const outside = (members: object): string => JSON.stringify(members, null, 1).slice(1, -1);
          const parts = [outside(before), `"model" :\t${JSON.stringify(model)}\n`, outside(after)];
          return ` {${parts.filter((part) => part !== '').join(',')} } `;
        };
        assert.equal(readJson(write(from)).model, from);
        assert.equal(String(withModel(json, Buffer.from(write(from)), to)), write(to));
      }),
      { numRuns: repetitions({ quick: 300, full: 30_000 }) },
    );
  });
});

describe('the model that a form names', () => {
  it('is read wherever it stands, with whether a stream is asked for', async () => {
    const file = new Blob(['RIFF'], { type: 'audio/wav' });
    for (const order of ['model first', 'model last']) {
      const form = formOf(order === 'model first' ? { model: 'whisper é', stream: 'true' } : { stream: 'true' });
      form.append('file', file, 'a.wav');
      if (order === 'model last') form.append('model', 'whisper é');
      const { head, body } = await sent(form);
      assert.deepEqual(readNamedModel(head, body), { ...unknown, model: 'whisper é', isStreaming: true }, order);
    }
    const { head, body } = await sent(formOf({ model: 'm', stream: 'false' }));
    assert.equal(readNamedModel(head, body).isStreaming, false);
  });

  it('is wanted once, with something in it', async () => {
    const twice = formOf({ model: 'a' });
    twice.append('model', 'a');
    const emptied = formOf({ model: '' });
    for (const [form, got] of [
      [formOf({}), 'nothing'],
      [formOf({ Model: 'a' }), 'nothing'],
      [emptied, 'something else'],
      [twice, 'model more than once'],
    ] as const) {
      const { head, body } = await sent(form);
      const message = `model: got ${got}, wanted a body of JSON, or a form, that names one model as text`;
      assert.throws(() => readNamedModel(head, body), { code: 'invalid_request', field: 'model', message });
    }
  });

  it('is refused where JSON stands in front of the parts', async () => {
    const { head, body } = await sent(formOf({ model: 'form' }));
    const both = Buffer.concat([Buffer.from('{"model":"json"}\r\n'), body]);
    assert.throws(() => readNamedModel(head, both), { field: 'body' });
  });

  it('is replaced by another, and every other byte kept, in any form', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !/[\r\n]/.test(text));
    const other = fc.tuple(
      fc.string({ maxLength: 6 }).filter((key) => key.replaceAll('\\', '') !== 'model'),
      fc.oneof(fc.string(), fc.uint8Array({ maxLength: 100 })),
    );
    const others = fc.array(other, { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(others, others, name, name, async (before, after, from, to) => {
        const form = new FormData();
        const add = (all: typeof before): void => {
          for (const [key, value] of all)
            if (typeof value === 'string') form.append(key, value);
            else form.append(key, new Blob([Buffer.from(value)]), 'f');
        };
        add(before);
        form.append('model', from);
        add(after);
        const { head, body } = await sent(form);
        assert.equal(readNamedModel(head, body).model, from);
        const replaced = Buffer.from(withModel(head, body, to));
        const value = Buffer.from(`name="model"\r\n\r\n${from}\r\n`);
        const at = body.indexOf(value);
        const wanted = [body.subarray(0, at), `name="model"\r\n\r\n${to}\r\n`, body.subarray(at + value.length)];
        assert.deepEqual(replaced, Buffer.concat(wanted.map((one) => Buffer.from(one))));
      }),
      { numRuns },
    );
  });
});

it('a body that is encoded goes on as it came under the same name, and decoded under another', async () => {
  const body = gzipSync('{"model":"gpt","messages":[]}');
  const exchange = newExchange({ protocol: openai, operation: 'chat', body, headers: { 'content-encoding': 'gzip' } });
  const limits = { maxBodyBytes: 1000, room: new BufferRoom(1000) };
  const { wrap } = read(limits, new VirtualClock());
  await wrap(async () => {
    const same = openai.write(exchange, 'gpt');
    assert.deepEqual([same.body, same.without], [body, []]);
    const other = openai.write(exchange, 'qwen');
    assert.equal(String(other.body), '{"model":"qwen","messages":[]}');
    assert.deepEqual(other.without, ['accept-encoding', 'content-encoding']);
    return jsonReply(200, {}, 'upstream');
  })(exchange);
  assert.equal(exchange.ask.model, 'gpt');
});
