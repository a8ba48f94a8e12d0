import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { RunningExchanges } from '../../gateway/pipeline/running.ts';
import { newExchange } from '../support/exchanges.ts';

it('exchanges run from their head until they have settled, and whoever waits for none is told', async () => {
  const settled = new Topic<Exchange>();
  const running = new RunningExchanges(async () => jsonReply(200, {}, 'upstream'), settled);
  await running.none();
  const [one, other] = [newExchange(), newExchange()];
  await running.serve(one);
  await running.serve(other);
  assert.equal(running.count, 2);
  assert.deepEqual([one.generation.underWay, other.generation.underWay], [1, 1]);
  let told = 0;
  const waiting = [running.none(), running.none()].map((none) => none.then(() => told++));
  settled.publish(one);
  await null;
  assert.deepEqual([running.count, told], [1, 0]);
  assert.deepEqual([one.generation.underWay, other.generation.underWay], [0, 1]);
  settled.publish(other);
  await Promise.all(waiting);
  assert.deepEqual([running.count, told], [0, 2]);
});
