import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../gateway/balance/backend.ts';
import type { Subject } from '../../gateway/pipeline/route.ts';
import { type Match, RouteTable, type Rule, upstreamModelOf } from '../../gateway/routing/route-table.ts';
import { newBackend } from '../support/backends.ts';

const anything: Match = { model: null, tenant: null, path: null, headers: {} };
const subject: Subject = {
  protocol: 'open-inference',
  model: 'digits',
  tenant: 'anonymous',
  path: '/v2/models/digits/infer',
  headers: {},
};

function rule(name: string, match: Partial<Match>, backend: Backend = newBackend(name)): Rule {
  return {
    match: { ...anything, ...match },
    protocol: backend.protocol,
    route: {
      name,
      destinations: [{ backend, weight: 1 }],
      fallbacks: [],
      mirror: null,
      sharing: null,
      deadlineMs: null,
      serve: () => Promise.reject(new Error('not to be served')),
    },
  };
}

function found(rules: readonly Rule[], asked: Partial<Subject> = {}): string | null {
  return new RouteTable(rules).find({ ...subject, ...asked })?.name ?? null;
}

describe('a route table', () => {
  it('gives the first rule that fits, in the order written', () => {
    const rules = [rule('other', { model: 'other' }), rule('first', { model: 'dig*' }), rule('second', {})];
    assert.equal(found(rules), 'first');
    assert.equal(found(rules, { model: 'bert' }), 'second');
    assert.equal(found(rules.slice(0, 2), { model: 'bert' }), null);
    assert.equal(found([]), null);
  });

  it('fits a rule only when each of its parts fits', () => {
    const match = { model: 'digits', tenant: 'team-*', path: '/v2/*', headers: { 'x-beta': '1*' } };
    const fitting = { tenant: 'team-a', headers: { 'x-beta': '1' } };
    assert.equal(found([rule('r', match)], fitting), 'r');
    const others: readonly Partial<Subject>[] = [
      { model: 'bert' },
      { tenant: 'anonymous' },
      { path: '/v1/x' },
      { headers: {} },
      { headers: { 'x-beta': '2' } },
      { protocol: 'openai' },
    ];
    for (const other of others) assert.equal(found([rule('r', match)], { ...fitting, ...other }), null);
  });

  it('fits a header of several lines when one of them fits', () => {
    const rules = [rule('r', { headers: { 'x-beta': 'yes' } })];
    assert.equal(found(rules, { headers: { 'x-beta': ['no', 'yes'] } }), 'r');
    assert.equal(found(rules, { headers: { 'x-beta': ['no'] } }), null);
    assert.equal(found(rules, { headers: { 'x-beta': undefined } }), null);
    assert.equal(found([rule('r', { headers: { 'x-beta': '*' } })]), null, 'any value, but there must be one');
  });

  it('says of every rule up to the winner what does not fit', () => {
    const table = new RouteTable([
      rule('model', { model: 'bert' }),
      rule('tenant', { tenant: 'team' }),
      rule('path', { path: '/v1' }),
      rule('header', { headers: { 'x-beta': '1' } }),
      { ...rule('protocol', {}), protocol: 'openai' },
      rule('wins', { model: 'digits' }),
      rule('never asked', {}),
    ]);
    const steps = table.explain(subject).map(({ route, mismatch }) => [route.name, mismatch]);
    assert.deepEqual(steps, [
      ['model', 'model'],
      ['tenant', 'tenant'],
      ['path', 'path'],
      ['header', 'x-beta'],
      ['protocol', 'protocol'],
      ['wins', null],
    ]);
    assert.equal(new RouteTable([rule('model', { model: 'bert' })]).explain(subject).at(-1)?.mismatch, 'model');
  });

  it('names the models of a protocol once each, sorted, as clients say them', () => {
    const models = [
      { name: 'zebra', upstream: 'z' },
      { name: 'ant-*', upstream: null },
    ];
    const table = new RouteTable([
      rule('written', { model: 'digits' }),
      rule('by path', { path: '/x' }, newBackend('pool', { models })),
      rule('again', { model: 'digits' }),
      { ...rule('elsewhere', { model: 'gpt' }), protocol: 'openai' },
    ]);
    assert.deepEqual(table.modelNames('open-inference'), ['ant-*', 'digits', 'zebra']);
    assert.deepEqual(table.modelNames('openai'), ['gpt']);
    assert.deepEqual(table.modelNames('tf-serving'), []);
    assert.deepEqual(table.modelNames(null), ['ant-*', 'digits', 'gpt', 'zebra']);
  });

  it('tells which protocol the backends of a model speak, by the first rule that names it', () => {
    const models = [{ name: 'gpt-*', upstream: 'qwen' }];
    const table = new RouteTable([
      { ...rule('plain', { path: '/web/*' }, newBackend('plain', { models: [] })), protocol: 'http' },
      { ...rule('written', { model: 'resnet', path: '/v1/*', tenant: 'a' }), protocol: 'tf-serving' },
      { ...rule('by backend', { path: '/x' }, newBackend('pool', { models })), protocol: 'openai' },
      rule('later', { model: 'gpt-4' }),
      rule('everything', { model: '*' }),
    ]);
    const asked = ['resnet', 'gpt-4', 'gpt-', 'written', 'plain', ''];
    assert.deepEqual(
      asked.map((model) => table.protocolOf(model)),
      ['tf-serving', 'openai', 'openai', 'open-inference', 'open-inference', 'open-inference'],
    );
    assert.equal(new RouteTable([rule('digits', {})]).protocolOf('bert'), null);
    assert.equal(new RouteTable([]).protocolOf('digits'), null);
  });
});

describe('whether plain HTTP is spoken at a path', () => {
  const web = (path: string): Rule => ({ ...rule('web', { path }), protocol: 'http' });
  const openai = (match: Partial<Match>): Rule => ({ ...rule('openai', match), protocol: 'openai' });
  const isPlain = (rules: readonly Rule[], path: string, protocol: string | null): boolean =>
    new RouteTable(rules).isPlain(path, protocol);

  it('is said by the first rule whose path fits, of its own and those of the protocol that knows the path', () => {
    assert.equal(isPlain([web('/v1/*'), openai({})], '/v1/x', 'openai'), true);
    assert.equal(isPlain([openai({}), web('/v1/*')], '/v1/x', 'openai'), false);
    assert.equal(isPlain([openai({ model: 'gpt' }), web('/v1/*')], '/v1/x', 'openai'), false);
    assert.equal(isPlain([openai({ path: '/v1/y' }), web('/v1/*')], '/v1/x', 'openai'), true);
    assert.equal(isPlain([openai({ path: '/v1/x*' }), web('/v1/*')], '/v1/x', 'openai'), false);
  });

  it('does not hang on the rules of other protocols', () => {
    assert.equal(isPlain([openai({}), web('/v1/*')], '/v1/x', 'tf-serving'), true);
    assert.equal(isPlain([openai({}), web('/v1/*')], '/v1/x', null), true);
  });

  it('is not where no path fits, nor where none is configured', () => {
    assert.equal(isPlain([web('/web/*')], '/v1/x', null), false);
    assert.equal(isPlain([web('/web/*')], '/web', 'openai'), false);
    assert.equal(isPlain([openai({})], '/v1/x', 'openai'), false);
    assert.equal(isPlain([], '/', null), false);
  });
});

it('a model is called upstream as the first that fits says, else as the client calls it', () => {
  const backend = newBackend('pool', {
    models: [
      { name: 'digits', upstream: 'digits-q8' },
      { name: 'bert-*', upstream: 'bert' },
      { name: 'bert-large', upstream: 'never' },
      { name: 'same', upstream: null },
    ],
  });
  const asked = ['digits', 'bert-large', 'same', 'unknown'];
  assert.deepEqual(
    asked.map((model) => upstreamModelOf(backend, model)),
    ['digits-q8', 'bert', 'same', 'unknown'],
  );
});
