import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Directory, describeModel, ownAnswers } from '../../gateway/http/own-answers.ts';

const models = (protocol: string | null): string[] => [`a of ${protocol ?? 'all'}`, 'b', 'c-*'];

const directory = (isReady: boolean): Directory => ({
  routes: () => ({ modelNames: models, find: () => null, protocolOf: () => null, isPlain: () => false }),
  isReady: () => isReady,
  version: '1.2.3',
  startedAtSeconds: 1_700_000_000,
});

const answerAt = (path: string, isReady = true) =>
  ownAnswers(directory(isReady))
    .find((one) => one.path === path)
    ?.answer() ?? assert.fail(`nothing at ${path}`);

test('the gateway says of itself what a server of the protocol says', () => {
  for (const path of ['/v2', '/v2/']) {
    const { status, value } = answerAt(path);
    assert.equal(status, 200);
    assert.deepEqual({ ...value, extensions: [] }, { name: 'headgate', version: '1.2.3', extensions: [] });
  }
  assert.deepEqual(answerAt('/v2/health/live', false), { status: 200, value: { live: true } });
  assert.deepEqual(answerAt('/v2/health/ready'), { status: 200, value: { ready: true } });
  assert.deepEqual(answerAt('/v2/health/ready', false), { status: 503, value: { ready: false } });
  assert.deepEqual(answerAt('/v2/models'), {
    status: 200,
    value: { models: ['a of open-inference', 'b', 'c-*'] },
  });
});

test('models are listed as the OpenAI API lists them, those of all backends, and patterns left out', () => {
  const model = (id: string) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'headgate' });
  assert.deepEqual(answerAt('/v1/models'), {
    status: 200,
    value: { object: 'list', data: [model('a of all'), model('b')] },
  });
  assert.deepEqual(describeModel('x/y', directory(true)), { status: 200, value: model('x/y') });
});
