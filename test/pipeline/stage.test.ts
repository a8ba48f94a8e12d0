import assert from 'node:assert/strict';
import { it } from 'node:test';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { compose, type Stage } from '../../gateway/pipeline/stage.ts';
import { newExchange } from '../support/exchanges.ts';

it('stages are met in the order of their list, and see the reply in the reverse', async () => {
  const met: string[] = [];
  const stage = (name: string): Stage => ({
    name,
    wrap: (next) => async (exchange) => {
      met.push(`${name} in`);
      const reply = await next(exchange);
      met.push(`${name} out`);
      return reply;
    },
  });
  const reply = jsonReply(200, {}, 'upstream');
  const serve = compose([stage('outer'), stage('middle'), stage('inner')], async () => {
    met.push('innermost');
    return reply;
  });
  assert.equal(await serve(newExchange()), reply);
  assert.deepEqual(met, ['outer in', 'middle in', 'inner in', 'innermost', 'inner out', 'middle out', 'outer out']);
});

it('a stage that answers by itself is where the way ends', async () => {
  const answer = jsonReply(200, {}, 'refused');
  const serve = compose([{ name: 'answers', wrap: () => async () => answer }], () => assert.fail('passed on'));
  assert.equal(await serve(newExchange()), answer);
});

it('no stages are the innermost itself', () => {
  const innermost = async () => jsonReply(200, {}, 'upstream');
  assert.equal(compose([], innermost), innermost);
});
