import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prefixOfPrompt, sessionInField, sessionInHeader } from '../../gateway/protocols/affinity-keys.ts';
import { newExchange } from '../support/exchanges.ts';

const { head } = newExchange({ headers: { 'x-session': 's1' } });

describe('the beginnings of a prompt', () => {
  const prefix = (body: unknown): readonly number[] | null =>
    prefixOfPrompt(head, Buffer.from(JSON.stringify(body))).prefix;
  const chat = (...contents: string[]) => ({
    model: 'm',
    messages: contents.map((content) => ({ role: 'user', content })),
    temperature: contents.length,
  });
  const commonOf = (one: unknown, other: unknown): number => {
    const [first, second] = [prefix(one) ?? [], prefix(other) ?? []];
    const differAt = first.findIndex((hash, at) => hash !== second[at]);
    return differAt < 0 ? first.length : differAt;
  };

  it('are the same as far as prompts are, whatever else the body says', () => {
    const turn = chat('a'.repeat(3000));
    const next = chat('a'.repeat(3000), 'b'.repeat(2000));
    assert.equal(prefix(turn)?.length, 5);
    assert.equal(commonOf(turn, next), 5);
    assert.equal(commonOf(turn, chat(`${'a'.repeat(2000)}c`)), 3);
    assert.equal(commonOf(turn, chat(`c${'a'.repeat(3000)}`)), 0);
    assert.equal(new Set(prefix(next)).size, prefix(next)?.length, 'each stands for all before it');
  });

  it('are those of a completion or of the input of a response, too', () => {
    for (const name of ['prompt', 'input']) assert.equal(prefix({ [name]: 'a'.repeat(1022) })?.length, 2, name);
    assert.equal(prefix({ model: 'm' }), null);
    assert.deepEqual(prefix(chat('short')), []);
  });

  it('are at most 64, ever farther apart, and reach over half a MiB', () => {
    const lengths = [8_192, 16_384, 32_768, 524_288, 4_000_000];
    assert.deepEqual(
      lengths.map((length) => prefix({ prompt: 'x'.repeat(length - 2) })?.length),
      [16, 24, 32, 64, 64],
    );
    assert.equal(prefix({ prompt: 'x'.repeat(524_288 - 3) })?.length, 63);
  });
});

describe('the session of a request', () => {
  it('is the value of a header', () => {
    assert.deepEqual(sessionInHeader('x-session')(head, Buffer.from('')), { prefix: null, sessionKey: 's1' });
    assert.equal(sessionInHeader('x-other')(head, Buffer.from('')).sessionKey, null);
  });

  it('is a text in the body, and nothing where there is none', () => {
    const session = (body: string): string | null => sessionInField('user')(head, Buffer.from(body)).sessionKey;
    assert.equal(session(String.raw`{"a":{"user":"x"},"user":"\u0075 1"}`), 'u 1');
    assert.deepEqual(['{"user":1}', '{}', 'no JSON', '', '{"user":"cut'].map(session), [null, null, null, null, null]);
  });
});
