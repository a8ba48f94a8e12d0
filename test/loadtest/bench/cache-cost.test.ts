import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WholeAnswers } from '../../../loadtest/bench/answer-reader.ts';
import { textsFor } from '../../../loadtest/bench/cache-cost.ts';
import { measureCost } from '../../../loadtest/bench/measure-cost.ts';
import { asPeer, freePort, type Peer, startScript } from '../../../loadtest/bench/peer.ts';
import { textAnswer } from '../../../loadtest/bench/text-answer.ts';

const nobody: Peer = { name: 'nobody', port: 1, pid: null, headers: [], isChatOnly: false, stop() {} };

test('texts are the same for ever, or never one again in any slice of time', () => {
  const asked = (isSame: boolean): Set<string> => {
    const workload = textsFor('m', isSame);
    const [one, other] = [workload.requests(nobody), workload.requests(nobody)];
    return new Set([one(), one(), other(), other()].map(String));
  };
  assert.equal(asked(true).size, 1);
  assert.equal(asked(false).size, 4);
});

test('an answer without what every answer must have in its head is a failure', () => {
  const answer = Buffer.from('HTTP/1.1 200 OK\r\ncache-status: headgate; hit; ttl=9\r\ncontent-length: 2\r\n\r\n{}');
  assert.ok(new WholeAnswers('headgate; hit').take(answer));
  assert.throws(() => new WholeAnswers('fwd=miss').take(answer), /no fwd=miss/);
});

test('the bare server is measured with answers of a kilobyte', async () => {
  assert.equal(textAnswer.length, 1024);
  const port = await freePort();
  const peer = asPeer('bare server', port, await startScript('bare-server.ts', port));
  try {
    const { pid } = peer;
    assert.ok(pid !== null);
    const workload = textsFor('m', true, 'content-length: 1024');
    const { microseconds, unitsPerSecond } = await measureCost(workload, { ...peer, pid }, 300);
    assert.ok(microseconds > 0 && unitsPerSecond > 0);
  } finally {
    peer.stop();
  }
});
