import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { headerLengthHeader, openInference } from '../../gateway/protocols/open-inference.ts';
import { FedBody, pumped } from '../support/bodies.ts';
import { cut, events, json, kept, rendered, renderedLive, replyOf } from '../support/caching/rendered.ts';
import { readExchange } from '../support/exchanges.ts';

const tensor = Buffer.from([0x22, 0x7d, 0x00, 0xff, 0x22, 0x69, 0x64, 0x22]);

/** JSON with binary tensors behind it, as a body and its headers. */
function binary(text: string): { body: Buffer; headers: string[] } {
  const body = Buffer.concat([Buffer.from(text), tensor]);
  return { body, headers: ['content-type', 'application/octet-stream', headerLengthHeader, String(text.length)] };
}

const asked = (body: string, operation = 'infer') => readExchange({ operation, body });

const answers = ['{"id":"first","model_name":"m","outputs":[]}', '{"model_name":"m","outputs":[]}', '{}'];
const wishes = ['{"id":"a longer one than the first","inputs":[]}', '{"id":"","inputs":[]}', '{"inputs":[]}'];

/** What an answer must say to a wish. */
function wanted(answer: string, wish: string): object {
  const { id: _, ...rest } = JSON.parse(answer);
  const { id } = JSON.parse(wish);
  return id === undefined ? rest : { ...rest, id };
}

describe('an answer with binary tensors, for another request', () => {
  it('has its id, and the same tensors behind it, each counted as long as it is', () => {
    for (const answer of answers)
      for (const wish of wishes) {
        const { body, headers } = binary(answer);
        const reply = openInference.render(kept(headers, body), asked(wish));
        const [bytes = Buffer.alloc(0)] = pumped(reply.body).pieces;
        const jsonBytes = Number(headerInList(reply.headers, headerLengthHeader));
        assert.deepEqual(JSON.parse(bytes.subarray(0, jsonBytes).toString()), wanted(answer, wish));
        assert.deepEqual(bytes.subarray(jsonBytes), tensor);
        assert.equal(headerInList(reply.headers, 'content-length'), String(bytes.length));
      }
  });

  it('has them wherever it is cut while it comes, in room for the longest id', () => {
    for (const answer of answers)
      for (const wish of wishes) {
        const { body, headers } = binary(answer);
        for (let at = 0; at <= body.length; at++) {
          const inner = new FedBody(body.length);
          const all = [...headers, 'content-length', String(body.length)];
          const reply = openInference.render(replyOf(all, inner), asked(wish));
          const sink = pumped(reply.body);
          for (const piece of cut(body, [at])) inner.feed(piece);
          inner.end('complete');
          const bytes = Buffer.concat(sink.pieces);
          const jsonBytes = Number(headerInList(reply.headers, headerLengthHeader));
          assert.deepEqual(JSON.parse(bytes.subarray(0, jsonBytes).toString()), wanted(answer, wish));
          assert.deepEqual(bytes.subarray(jsonBytes), tensor);
          assert.equal(headerInList(reply.headers, 'content-length'), String(bytes.length));
          assert.equal(reply.body.sizeBytes, bytes.length);
        }
      }
  });

  it('goes on as soon as its id is known, and its tensors as they come', () => {
    const inner = new FedBody();
    const { headers } = binary(answers[0] ?? '');
    const sink = pumped(openInference.render(replyOf(headers, inner), asked(wishes[0] ?? '')).body);
    inner.feed('{"id":"fi');
    assert.equal(sink.text, '');
    inner.feed('rst","model');
    assert.match(sink.text, /^\{"id":"a longer one than the first" +,"model$/);
    inner.feed('_name":"m"');
    assert.ok(sink.text.endsWith('"model_name":"m"'));
  });

  it('has the id of the JSON in front of the tensors of its request', () => {
    const { body, headers } = binary('{"id":"mine"}');
    const exchange = readExchange({
      body,
      headers: { [headerLengthHeader]: headers.at(-1) ?? '' },
    });
    assert.equal(rendered(kept(json, '{"id":"x"}'), exchange).text, '{"id":"mine"}');
  });
});

describe('an answer in JSON, for another request', () => {
  it('has its id wherever it is cut', () => {
    for (const operation of ['infer', 'generate'])
      for (const answer of answers)
        for (const wish of wishes) {
          const bytes = Buffer.from(answer);
          assert.deepEqual(JSON.parse(rendered(kept(json, bytes), asked(wish, operation)).text), wanted(answer, wish));
          for (let at = 0; at <= bytes.length; at++) {
            const got = renderedLive(json, cut(bytes, [at]), asked(wish, operation));
            assert.deepEqual(JSON.parse(got.text), wanted(answer, wish));
          }
        }
  });

  it('has it though its last member is the first one’s id, and a long way off', () => {
    const data = Array.from({ length: 50_000 }, (_, at) => at % 10);
    const bytes = Buffer.from(JSON.stringify({ outputs: [{ data }], id: 'first' }));
    const pieces = cut(
      bytes,
      Array.from({ length: 200 }, (_, at) => at * 499),
    );
    const got = renderedLive([...json, 'content-length', String(bytes.length)], pieces, asked('{"id":"mine"}'));
    assert.deepEqual(JSON.parse(got.text), { outputs: [{ data }], id: 'mine' });
    assert.equal(got.length, null);
  });

  it('is as it came where it is about a model, or encoded', () => {
    const about = kept(json, '{"name":"m","id":"x"}');
    assert.equal(openInference.render(about, asked('', 'metadata')), about);
    const encoded = kept([...json, 'content-encoding', 'gzip'], '{"id":"x"}');
    assert.equal(openInference.render(encoded, asked('{"id":"y"}')), encoded);
  });
});

it('a stream for another request has its id in every event, wherever it is cut', () => {
  for (const [wish, id] of [
    ['{"id":"mine"}', '"id":"mine",'],
    ['{}', ''],
  ] as const) {
    const write = (own: string): string =>
      `: hi\r\ndata: {${own}"text_output":"é"}\r\n\r\ndata:{${own}"text_output":""}\n\n`;
    for (const own of ['"id":"first",', '']) {
      const bytes = Buffer.from(write(own));
      for (let at = 0; at <= bytes.length; at++)
        assert.equal(renderedLive(events, cut(bytes, [at]), asked(wish, 'generate_stream')).text, write(id));
    }
  }
});
