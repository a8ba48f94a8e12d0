import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import { renameModel } from '../../gateway/protocols/rename-model.ts';
import { FedBody, pumped } from '../support/bodies.ts';
import { repetitions } from '../support/counts.ts';
import { readExchange } from '../support/exchanges.ts';

const renaming = { member: 'model_name', lengthHeaders: ['content-length', 'inference-header-content-length'] };

function replyOf(text: string, headers: string[] = []): Reply {
  const bytes = Buffer.from(text);
  const all = ['content-type', 'application/json', 'content-length', String(bytes.length), ...headers];
  return { status: 200, headers: all, source: 'upstream', body: bytesBody(bytes) };
}

async function renamed(reply: Reply, model = 'digits'): Promise<{ text: string; headers: string[]; size: number }> {
  const { body, headers } = await renameModel(reply, readExchange({ model }), renaming);
  return { text: pumped(body).text, headers, size: body.sizeBytes ?? -1 };
}

/** A renaming under way whose answer the test feeds. */
function feeding(exchange: Exchange): { inner: FedBody; reply: Promise<Reply> } {
  const inner = new FedBody();
  return { inner, reply: renameModel({ ...replyOf(''), body: inner }, exchange, renaming) };
}

describe('renaming the model in an answer', () => {
  it('changes the name and no other byte', async () => {
    const { text } = await renamed(replyOf('{ "id":"1",\t"model_name" : "digits-v2-q8" , "x":{"model_name":"kept"}}'));
    assert.equal(text, '{ "id":"1",\t"model_name" : "digits" , "x":{"model_name":"kept"}}');
  });

  it('corrects every header that counts the bytes, and no other', async () => {
    const json = '{"model_name":"digits-q8","outputs":[]}';
    const lengths = ['inference-header-content-length', String(json.length), 'x-other', '7'];
    const { text, headers, size } = await renamed(replyOf(`${json}\0\x01\x02`, lengths));
    assert.equal(text, '{"model_name":"digits","outputs":[]}\0\x01\x02');
    assert.equal(headerInList(headers, 'content-length'), String(text.length));
    assert.equal(headerInList(headers, 'inference-header-content-length'), String(json.length - 3));
    assert.equal(headerInList(headers, 'x-other'), '7');
    assert.equal(size, text.length);
  });

  it('leaves an answer alone that names no model, or is no JSON', async () => {
    for (const text of ['{"name":"x"}', '[]', '', '{"model_name":', 'model_name', '\x1f\x8b{"model_name":"x"}']) {
      const { text: passed, headers } = await renamed(replyOf(text));
      assert.equal(passed, text);
      assert.equal(headerInList(headers, 'content-length'), String(Buffer.from(text).length));
    }
  });

  it('finds no name that stands deeper than it looks, and passes every byte all the same', async () => {
    const text = `{"outputs":"${'x'.repeat(70_000)}","model_name":"digits-q8"}`;
    const exchange = readExchange();
    const { inner, reply } = feeding(exchange);
    inner.feed(text.slice(0, 65_536));
    const sink = pumped((await reply).body);
    inner.feed(text.slice(65_536));
    inner.end('complete');
    assert.equal(sink.text, text);
  });

  it('gives what JSON would give, for any names and any other members', async () => {
    const answer = fc.record({ model_name: fc.string(), rest: fc.json() });
    const asked = fc.string({ minLength: 1 }).filter((name) => !/[./\\]/.test(name));
    await fc.assert(
      fc.asyncProperty(answer, asked, async ({ model_name, rest }, model) => {
        const written = JSON.stringify({ before: rest, model_name, after: [rest] });
        const { text } = await renamed(replyOf(written), model);
        assert.equal(text, JSON.stringify({ before: rest, model_name: model, after: [rest] }));
      }),
      { numRuns: repetitions({ quick: 200, full: 20_000 }) },
    );
  });

  it('refuses the exchange when the replica breaks off while the client has seen nothing yet', async () => {
    const { inner, reply } = feeding(readExchange());
    inner.feed('{"model_na');
    inner.end('broken');
    await assert.rejects(reply, { code: 'upstream_broken' });
  });

  it('tells why when nobody waits any more', async () => {
    const exchange = readExchange();
    const { inner, reply } = feeding(exchange);
    inner.feed('{"model_na');
    exchange.cancellation.cancel(new GatewayError('deadline_exceeded', 'too late'));
    inner.end('abandoned');
    await assert.rejects(reply, { code: 'deadline_exceeded' });
  });
});
