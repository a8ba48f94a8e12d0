import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownAnswers } from '../../gateway/http/own-answers.ts';

const answers = (isReady: boolean) =>
  ownAnswers({ modelNames: (protocol) => [`a of ${protocol}`, 'b'], isReady: () => isReady, version: '1.2.3' });

test('the gateway says of itself what a server of the protocol says', () => {
  for (const path of ['/v2', '/v2/']) {
    const { status, value } = answers(true)[path]?.() ?? assert.fail();
    assert.equal(status, 200);
    assert.deepEqual({ ...value, extensions: [] }, { name: 'headgate', version: '1.2.3', extensions: [] });
  }
  assert.deepEqual(answers(false)['/v2/health/live']?.(), { status: 200, value: { live: true } });
  assert.deepEqual(answers(true)['/v2/health/ready']?.(), { status: 200, value: { ready: true } });
  assert.deepEqual(answers(false)['/v2/health/ready']?.(), { status: 503, value: { ready: false } });
  assert.deepEqual(answers(true)['/v2/models']?.(), { status: 200, value: { models: ['a of open-inference', 'b'] } });
});
